# Languages of message templates, as the Unicode CLDR names them.
# $code (String) - As the platform writes it, such as "pt_BR".
template-language = { $code ->
    [af] Afrikaans
    [sq] Albanian
    [ar] Arabic
    [az] Azerbaijani
    [bn] Bangla
    [bg] Bulgarian
    [ca] Catalan
    [zh_CN] Chinese (China)
    [zh_HK] Chinese (Hong Kong SAR China)
    [zh_TW] Chinese (Taiwan)
    [hr] Croatian
    [cs] Czech
    [da] Danish
    [nl] Dutch
    [en] English
    [en_GB] English (United Kingdom)
    [en_US] English (United States)
    [et] Estonian
    [fil] Filipino
    [fi] Finnish
    [fr] French
    [ka] Georgian
    [de] German
    [el] Greek
    [gu] Gujarati
    [ha] Hausa
    [he] Hebrew
    [hi] Hindi
    [hu] Hungarian
    [id] Indonesian
    [ga] Irish
    [it] Italian
    [ja] Japanese
    [kn] Kannada
    [kk] Kazakh
    [rw_RW] Kinyarwanda (Rwanda)
    [ko] Korean
    [ky_KG] Kyrgyz (Kyrgyzstan)
    [lo] Lao
    [lv] Latvian
    [lt] Lithuanian
    [mk] Macedonian
    [ms] Malay
    [ml] Malayalam
    [mr] Marathi
    [nb] Norwegian Bokmål
    [fa] Persian
    [pl] Polish
    [pt_BR] Portuguese (Brazil)
    [pt_PT] Portuguese (Portugal)
    [pa] Punjabi
    [ro] Romanian
    [ru] Russian
    [sr] Serbian
    [sk] Slovak
    [sl] Slovenian
    [es] Spanish
    [es_AR] Spanish (Argentina)
    [es_ES] Spanish (Spain)
    [es_MX] Spanish (Mexico)
    [sw] Swahili
    [sv] Swedish
    [ta] Tamil
    [te] Telugu
    [th] Thai
    [tr] Turkish
    [uk] Ukrainian
    [ur] Urdu
    [uz] Uzbek
    [vi] Vietnamese
    [zu] Zulu
   *[other] { $code }
}
