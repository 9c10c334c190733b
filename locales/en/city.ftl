# Cities of time zones, where the zone's own name is not how the city is written.
# $city (String) - The city in the zone's name, such as "Sao_Paulo".
# $name (String) - The same with spaces, for cities not listed.
city-name = { $city ->
    [Araguaina] Araguaína
    [Asuncion] Asunción
    [Bahia_Banderas] Bahía de Banderas
    [Belem] Belém
    [Bogota] Bogotá
    [Canary] Canary Islands
    [Cancun] Cancún
    [Chisinau] Chișinău
    [Ciudad_Juarez] Ciudad Juárez
    [Cordoba] Córdoba
    [Cuiaba] Cuiabá
    [Easter] Easter Island
    [Eirunepe] Eirunepé
    [Faroe] Faroe Islands
    [Guatemala] Guatemala City
    [Ho_Chi_Minh] Ho Chi Minh City
    [Kuwait] Kuwait City
    [Lome] Lomé
    [Lower_Princes] Sint Maarten
    [Macau] Macao
    [Maceio] Maceió
    [Mazatlan] Mazatlán
    [Merida] Mérida
    [Ndjamena] N'Djamena
    [Noronha] Fernando de Noronha
    [Noumea] Nouméa
    [Panama] Panama City
    [Reunion] Réunion
    [Reykjavik] Reykjavík
    [Santarem] Santarém
    [Sao_Paulo] São Paulo
    [Sao_Tome] São Tomé
    [St_Johns] St. John's
    [Tirane] Tirana
    [Tucuman] Tucumán
    [Vatican] Vatican City
    [Zurich] Zürich
   *[other] { $name }
}
