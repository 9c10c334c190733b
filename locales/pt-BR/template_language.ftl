# Idiomas dos modelos de mensagem, com os nomes do Unicode CLDR.
template-language = { $code ->
    [af] Africâner
    [sq] Albanês
    [ar] Árabe
    [az] Azerbaijano
    [bn] Bengali
    [bg] Búlgaro
    [ca] Catalão
    [zh_CN] Chinês (China)
    [zh_HK] Chinês (Hong Kong, RAE da China)
    [zh_TW] Chinês (Taiwan)
    [hr] Croata
    [cs] Tcheco
    [da] Dinamarquês
    [nl] Holandês
    [en] Inglês
    [en_GB] Inglês (Reino Unido)
    [en_US] Inglês (Estados Unidos)
    [et] Estoniano
    [fil] Filipino
    [fi] Finlandês
    [fr] Francês
    [ka] Georgiano
    [de] Alemão
    [el] Grego
    [gu] Guzerate
    [ha] Hauçá
    [he] Hebraico
    [hi] Hindi
    [hu] Húngaro
    [id] Indonésio
    [ga] Irlandês
    [it] Italiano
    [ja] Japonês
    [kn] Canarim
    [kk] Cazaque
    [rw_RW] Quiniaruanda (Ruanda)
    [ko] Coreano
    [ky_KG] Quirguiz (Quirguistão)
    [lo] Laosiano
    [lv] Letão
    [lt] Lituano
    [mk] Macedônio
    [ms] Malaio
    [ml] Malaiala
    [mr] Marati
    [nb] Bokmål norueguês
    [fa] Persa
    [pl] Polonês
    [pt_BR] Português (Brasil)
    [pt_PT] Português (Portugal)
    [pa] Panjabi
    [ro] Romeno
    [ru] Russo
    [sr] Sérvio
    [sk] Eslovaco
    [sl] Esloveno
    [es] Espanhol
    [es_AR] Espanhol (Argentina)
    [es_ES] Espanhol (Espanha)
    [es_MX] Espanhol (México)
    [sw] Suaíli
    [sv] Sueco
    [ta] Tâmil
    [te] Télugo
    [th] Tailandês
    [tr] Turco
    [uk] Ucraniano
    [ur] Urdu
    [uz] Uzbeque
    [vi] Vietnamita
    [zu] Zulu
   *[other] { $code }
}
