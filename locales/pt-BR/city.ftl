# Cidades dos fusos horários, onde o nome do fuso não é como a cidade se escreve.
city-name = { $city ->
    [Abidjan] Abidjã
    [Accra] Acra
    [Addis_Ababa] Adis Abeba
    [Algiers] Argel
    [Amman] Amã
    [Amsterdam] Amsterdã
    [Araguaina] Araguaína
    [Asuncion] Assunção
    [Athens] Atenas
    [Azores] Açores
    [Baghdad] Bagdá
    [Bahia_Banderas] Bahía de Banderas
    [Bahrain] Bahrein
    [Bamako] Bamaco
    [Beirut] Beirute
    [Belem] Belém
    [Belgrade] Belgrado
    [Berlin] Berlim
    [Bogota] Bogotá
    [Brussels] Bruxelas
    [Bucharest] Bucareste
    [Budapest] Budapeste
    [Canary] Ilhas Canárias
    [Cancun] Cancún
    [Cape_Verde] Cabo Verde
    [Cayenne] Caiena
    [Ciudad_Juarez] Ciudad Juárez
    [Copenhagen] Copenhague
    [Cordoba] Córdoba
    [Cuiaba] Cuiabá
    [Damascus] Damasco
    [Dhaka] Daca
    [Dili] Díli
    [Djibouti] Djibuti
    [Dushanbe] Duchambe
    [Easter] Ilha de Páscoa
    [Eirunepe] Eirunepé
    [Faroe] Ilhas Faroé
    [Guadeloupe] Guadalupe
    [Guatemala] Cidade da Guatemala
    [Guyana] Guiana
    [Helsinki] Helsinque
    [Istanbul] Istambul
    [Jakarta] Jacarta
    [Jerusalem] Jerusalém
    [Johannesburg] Joanesburgo
    [Kabul] Cabul
    [Kaliningrad] Kaliningrado
    [Kampala] Campala
    [Kathmandu] Katmandu
    [Khartoum] Cartum
    [Kolkata] Calcutá
    [Kuwait] Cidade do Kuwait
    [Kyiv] Kiev
    [Lisbon] Lisboa
    [Ljubljana] Liubliana
    [Lome] Lomé
    [London] Londres
    [Lower_Princes] São Martinho
    [Luxembourg] Luxemburgo
    [Maceio] Maceió
    [Madrid] Madri
    [Maldives] Maldivas
    [Martinique] Martinica
    [Mauritius] Maurício
    [Mazatlan] Mazatlán
    [Merida] Mérida
    [Mexico_City] Cidade do México
    [Mogadishu] Mogadíscio
    [Monaco] Mônaco
    [Monterrey] Monterrei
    [Montevideo] Montevidéu
    [Moscow] Moscou
    [Muscat] Mascate
    [Nairobi] Nairóbi
    [Ndjamena] N'Djamena
    [New_York] Nova York
    [Niamey] Niamei
    [Nicosia] Nicósia
    [Noronha] Fernando de Noronha
    [Noumea] Numeá
    [Ouagadougou] Uagadugu
    [Panama] Cidade do Panamá
    [Port-au-Prince] Porto Príncipe
    [Port_of_Spain] Porto de Espanha
    [Porto-Novo] Porto Novo
    [Prague] Praga
    [Puerto_Rico] Porto Rico
    [Qatar] Catar
    [Reunion] Reunião
    [Riyadh] Riade
    [Rome] Roma
    [San_Marino] São Marinho
    [Santarem] Santarém
    [Santo_Domingo] São Domingos
    [Sao_Paulo] São Paulo
    [Sao_Tome] São Tomé
    [Seoul] Seul
    [Shanghai] Xangai
    [Singapore] Singapura
    [Skopje] Escópia
    [Sofia] Sófia
    [St_Johns] Saint John's
    [Stockholm] Estocolmo
    [Taipei] Taipé
    [Tehran] Teerã
    [Tirane] Tirana
    [Tokyo] Tóquio
    [Tripoli] Trípoli
    [Tucuman] Tucumán
    [Tunis] Túnis
    [Ulaanbaatar] Ulan Bator
    [Vatican] Cidade do Vaticano
    [Vienna] Viena
    [Warsaw] Varsóvia
    [Yerevan] Ierevan
    [Zurich] Zurique
   *[other] { $name }
}
