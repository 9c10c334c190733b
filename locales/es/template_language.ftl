# Idiomas de las plantillas de mensaje, con los nombres del Unicode CLDR.
template-language = { $code ->
    [af] Afrikáans
    [sq] Albanés
    [ar] Árabe
    [az] Azerbaiyano
    [bn] Bengalí
    [bg] Búlgaro
    [ca] Catalán
    [zh_CN] Chino (China)
    [zh_HK] Chino (RAE de Hong Kong [China])
    [zh_TW] Chino (Taiwán)
    [hr] Croata
    [cs] Checo
    [da] Danés
    [nl] Neerlandés
    [en] Inglés
    [en_GB] Inglés (Reino Unido)
    [en_US] Inglés (Estados Unidos)
    [et] Estonio
    [fil] Filipino
    [fi] Finés
    [fr] Francés
    [ka] Georgiano
    [de] Alemán
    [el] Griego
    [gu] Guyaratí
    [ha] Hausa
    [he] Hebreo
    [hi] Hindi
    [hu] Húngaro
    [id] Indonesio
    [ga] Irlandés
    [it] Italiano
    [ja] Japonés
    [kn] Canarés
    [kk] Kazajo
    [rw_RW] Kinyarwanda (Ruanda)
    [ko] Coreano
    [ky_KG] Kirguís (Kirguistán)
    [lo] Lao
    [lv] Letón
    [lt] Lituano
    [mk] Macedonio
    [ms] Malayo
    [ml] Malayálam
    [mr] Maratí
    [nb] Noruego bokmal
    [fa] Persa
    [pl] Polaco
    [pt_BR] Portugués (Brasil)
    [pt_PT] Portugués (Portugal)
    [pa] Punyabí
    [ro] Rumano
    [ru] Ruso
    [sr] Serbio
    [sk] Eslovaco
    [sl] Esloveno
    [es] Español
    [es_AR] Español (Argentina)
    [es_ES] Español (España)
    [es_MX] Español (México)
    [sw] Suajili
    [sv] Sueco
    [ta] Tamil
    [te] Telugu
    [th] Tailandés
    [tr] Turco
    [uk] Ucraniano
    [ur] Urdu
    [uz] Uzbeko
    [vi] Vietnamita
    [zu] Zulú
   *[other] { $code }
}
