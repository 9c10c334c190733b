# Ciudades de los husos horarios, donde el nombre del huso no es como se escribe la ciudad.
city-name = { $city ->
    [Abidjan] Abiyán
    [Accra] Acra
    [Addis_Ababa] Adís Abeba
    [Algiers] Argel
    [Almaty] Almatý
    [Amman] Ammán
    [Amsterdam] Ámsterdam
    [Araguaina] Araguaína
    [Asuncion] Asunción
    [Athens] Atenas
    [Baghdad] Bagdad
    [Bahia_Banderas] Bahía de Banderas
    [Bahrain] Baréin
    [Baku] Bakú
    [Belem] Belém
    [Belgrade] Belgrado
    [Berlin] Berlín
    [Bogota] Bogotá
    [Brussels] Bruselas
    [Bucharest] Bucarest
    [Cairo] El Cairo
    [Canary] Islas Canarias
    [Cancun] Cancún
    [Cape_Verde] Cabo Verde
    [Cayenne] Cayena
    [Chisinau] Chisináu
    [Ciudad_Juarez] Ciudad Juárez
    [Copenhagen] Copenhague
    [Cordoba] Córdoba
    [Cuiaba] Cuiabá
    [Damascus] Damasco
    [Dar_es_Salaam] Dar es-Salam
    [Dhaka] Daca
    [Djibouti] Yibuti
    [Dubai] Dubái
    [Dublin] Dublín
    [Dushanbe] Dusambé
    [Easter] Isla de Pascua
    [Eirunepe] Eirunepé
    [Faroe] Islas Feroe
    [Guadeloupe] Guadalupe
    [Guatemala] Ciudad de Guatemala
    [Havana] La Habana
    [Ho_Chi_Minh] Ciudad Ho Chi Minh
    [Istanbul] Estambul
    [Jakarta] Yakarta
    [Jerusalem] Jerusalén
    [Johannesburg] Johannesburgo
    [Kaliningrad] Kaliningrado
    [Kathmandu] Katmandú
    [Khartoum] Jartum
    [Kinshasa] Kinsasa
    [Kolkata] Calcuta
    [Kuwait] Ciudad de Kuwait
    [Kyiv] Kiev
    [Lisbon] Lisboa
    [Ljubljana] Liubliana
    [Lome] Lomé
    [London] Londres
    [Los_Angeles] Los Ángeles
    [Lower_Princes] San Martín
    [Luxembourg] Luxemburgo
    [Macau] Macao
    [Maceio] Maceió
    [Maldives] Maldivas
    [Martinique] Martinica
    [Mauritius] Mauricio
    [Mazatlan] Mazatlán
    [Merida] Mérida
    [Mexico_City] Ciudad de México
    [Mogadishu] Mogadiscio
    [Monaco] Mónaco
    [Moscow] Moscú
    [Muscat] Mascate
    [Nassau] Nasáu
    [Ndjamena] Yamena
    [New_York] Nueva York
    [Noronha] Fernando de Noronha
    [Nouakchott] Nuakchot
    [Noumea] Numea
    [Ouagadougou] Uagadugú
    [Panama] Ciudad de Panamá
    [Paris] París
    [Phnom_Penh] Nom Pen
    [Port-au-Prince] Puerto Príncipe
    [Port_of_Spain] Puerto España
    [Porto-Novo] Porto Novo
    [Prague] Praga
    [Pyongyang] Pionyang
    [Qatar] Catar
    [Reunion] Reunión
    [Reykjavik] Reikiavik
    [Riyadh] Riad
    [Rome] Roma
    [Santarem] Santarém
    [Sao_Paulo] São Paulo
    [Sao_Tome] Santo Tomé
    [Seoul] Seúl
    [Shanghai] Shanghái
    [Singapore] Singapur
    [Skopje] Skopie
    [Sofia] Sofía
    [St_Johns] San Juan de Terranova
    [Stockholm] Estocolmo
    [Sydney] Sídney
    [Taipei] Taipéi
    [Tallinn] Tallin
    [Tashkent] Taskent
    [Tbilisi] Tiflis
    [Tehran] Teherán
    [Thimphu] Timbu
    [Tirane] Tirana
    [Tokyo] Tokio
    [Tripoli] Trípoli
    [Tucuman] Tucumán
    [Tunis] Túnez
    [Ulaanbaatar] Ulán Bator
    [Vatican] Ciudad del Vaticano
    [Vienna] Viena
    [Vientiane] Vientián
    [Vilnius] Vilna
    [Warsaw] Varsovia
    [Yangon] Rangún
    [Yerevan] Ereván
    [Zurich] Zúrich
   *[other] { $name }
}
