//! The zones of area codes, where a country is wide and its numbers name the area.

mod brazil;
mod landlines;
mod mexico;

use chrono_tz::Tz;

pub(super) use brazil::brazilian_city;

const EASTERN: &[Tz] = &[Tz::America__New_York];
const CENTRAL: &[Tz] = &[Tz::America__Chicago];
const MOUNTAIN: &[Tz] = &[Tz::America__Denver];
const PACIFIC: &[Tz] = &[Tz::America__Los_Angeles];
const ARIZONA: &[Tz] = &[Tz::America__Phoenix];
const ALASKA: &[Tz] = &[Tz::America__Anchorage, Tz::America__Adak];
const HAWAII: &[Tz] = &[Tz::Pacific__Honolulu];
const EASTERN_OR_CENTRAL: &[Tz] = &[Tz::America__New_York, Tz::America__Chicago];
const CENTRAL_OR_MOUNTAIN: &[Tz] = &[Tz::America__Chicago, Tz::America__Denver];
const MOUNTAIN_OR_PACIFIC: &[Tz] = &[Tz::America__Denver, Tz::America__Los_Angeles];
const ARIZONA_OR_MOUNTAIN: &[Tz] = &[Tz::America__Phoenix, Tz::America__Denver];

const TORONTO: &[Tz] = &[Tz::America__Toronto];
const TORONTO_OR_WINNIPEG: &[Tz] = &[Tz::America__Toronto, Tz::America__Winnipeg];
const EAST_QUEBEC: &[Tz] = &[Tz::America__Toronto, Tz::America__Halifax, Tz::America__BlancSablon];
const WINNIPEG: &[Tz] = &[Tz::America__Winnipeg];
const SASKATCHEWAN: &[Tz] = &[Tz::America__Regina, Tz::America__Edmonton];
const EDMONTON: &[Tz] = &[Tz::America__Edmonton];
const VANCOUVER: &[Tz] = &[Tz::America__Vancouver];
const BRITISH_COLUMBIA: &[Tz] = &[
    Tz::America__Vancouver,
    Tz::America__Edmonton,
    Tz::America__Creston,
    Tz::America__Dawson_Creek,
];
const HALIFAX: &[Tz] = &[Tz::America__Halifax];
const NEWFOUNDLAND_AND_LABRADOR: &[Tz] = &[Tz::America__St_Johns, Tz::America__Goose_Bay];

/// The zones of a number in canonical form (country code and all, without `+`) by its area code; `None` where
/// the country or the code names no area.
pub(super) fn zones(country: &str, digits: &str) -> Option<&'static [Tz]> {
    let area = |from: usize, to: usize| digits.get(from..to)?.parse().ok();
    match country {
        "AU" => area(2, 3).and_then(landlines::australia),
        "BR" => area(2, 4).and_then(brazil::brazil),
        "CA" => area(1, 4).and_then(canada),
        "CL" => area(2, 4).and_then(landlines::chile),
        "ES" => area(2, 5).and_then(landlines::spain),
        "MX" => area(2, 5).and_then(mexico::mexico),
        "PT" => area(3, 6).and_then(landlines::portugal),
        "RU" => area(1, 4).and_then(landlines::russia),
        "US" => area(1, 4).and_then(united_states),
        _ => None,
    }
}

/// The zones of an area code of the United States; `None` for one that is new, or not tied to a place.
fn united_states(area: u16) -> Option<&'static [Tz]> {
    Some(match area {
        201..=203
        | 207
        | 212
        | 215
        | 216
        | 220
        | 223
        | 227
        | 229
        | 231
        | 234
        | 239
        | 240
        | 248
        | 252
        | 260
        | 267
        | 269
        | 272
        | 276
        | 283
        | 301
        | 302
        | 304
        | 305
        | 313
        | 315
        | 317
        | 321
        | 324
        | 326
        | 329
        | 330
        | 332
        | 336
        | 339
        | 347
        | 351
        | 352
        | 363
        | 380
        | 386
        | 401
        | 404
        | 407
        | 410
        | 412
        | 413
        | 419
        | 434
        | 436
        | 440
        | 443
        | 445
        | 463
        | 470
        | 472
        | 475
        | 478
        | 484
        | 502
        | 508
        | 513
        | 516..=518
        | 540
        | 551
        | 561
        | 567
        | 570
        | 571
        | 582
        | 585
        | 586
        | 603
        | 606
        | 607
        | 609
        | 610
        | 614
        | 616
        | 617
        | 624
        | 631
        | 640
        | 645
        | 646
        | 656
        | 667
        | 678
        | 679
        | 680
        | 681
        | 686
        | 689
        | 703
        | 704
        | 706
        | 716..=718
        | 724
        | 727
        | 728
        | 732
        | 734
        | 740
        | 743
        | 754
        | 757
        | 762
        | 765
        | 770..=772
        | 774
        | 781
        | 786
        | 802..=804
        | 810
        | 813
        | 814
        | 821
        | 826
        | 828
        | 835
        | 838
        | 839
        | 843
        | 845
        | 848
        | 854
        | 856
        | 857
        | 859
        | 860
        | 862..=865
        | 878
        | 904
        | 908
        | 910
        | 912
        | 914
        | 917
        | 919
        | 929
        | 934
        | 937
        | 941
        | 943
        | 947
        | 948
        | 954
        | 959
        | 973
        | 978
        | 980
        | 984
        | 989 => EASTERN,
        // Indiana's north and south, Kentucky's west, Michigan's Upper Peninsula, Florida's
        // panhandle and Tennessee's east.
        270 | 364 | 423 | 448 | 574 | 812 | 850 | 906 | 930 => EASTERN_OR_CENTRAL,
        205
        | 210
        | 214
        | 217..=219
        | 224
        | 225
        | 228
        | 235
        | 251
        | 254
        | 256
        | 262
        | 274
        | 281
        | 309
        | 312
        | 314
        | 316
        | 318..=320
        | 325
        | 327
        | 331
        | 334
        | 337
        | 346
        | 353
        | 361
        | 402
        | 405
        | 409
        | 414
        | 417
        | 430
        | 447
        | 457
        | 464
        | 469
        | 479
        | 501
        | 504
        | 507
        | 512
        | 515
        | 531
        | 534
        | 539
        | 557
        | 563
        | 572
        | 573
        | 601
        | 608
        | 612
        | 615
        | 618
        | 629
        | 630
        | 636
        | 641
        | 651
        | 659
        | 660
        | 662
        | 682
        | 708
        | 712
        | 713
        | 715
        | 726
        | 730
        | 731
        | 737
        | 763
        | 769
        | 773
        | 779
        | 806
        | 815..=817
        | 830
        | 832
        | 847
        | 861
        | 870
        | 872
        | 901
        | 903
        | 913
        | 918
        | 920
        | 924
        | 931
        | 936
        | 938
        | 940
        | 945
        | 952
        | 956
        | 972
        | 975
        | 979
        | 985 => CENTRAL,
        // Western Kansas, Nebraska, Oklahoma and Texas, and both Dakotas.
        308 | 432 | 580 | 605 | 620 | 701 | 785 => CENTRAL_OR_MOUNTAIN,
        303 | 307 | 385 | 406 | 435 | 505 | 575 | 719 | 720 | 801 | 915 | 970 | 983 => MOUNTAIN,
        480 | 520 | 602 | 623 => ARIZONA,
        // The Navajo Nation changes its clocks, the rest of Arizona does not.
        928 => ARIZONA_OR_MOUNTAIN,
        208 | 458 | 541 | 775 | 986 => MOUNTAIN_OR_PACIFIC,
        206 | 209 | 213 | 253 | 279 | 310 | 323 | 341 | 350 | 357 | 360 | 369 | 408 | 415 | 424
        | 425 | 442 | 503 | 509 | 510 | 530 | 559 | 562 | 564 | 619 | 626 | 628 | 650 | 657
        | 661 | 669 | 702 | 707 | 714 | 725 | 738 | 747 | 760 | 805 | 818 | 820 | 831 | 837
        | 840 | 858 | 909 | 916 | 925 | 949 | 951 | 971 => PACIFIC,
        907 => ALASKA,
        808 => HAWAII,
        _ => return None,
    })
}

/// The zones of a Canadian area code; `None` for one that is new, northern, or not tied to a place.
fn canada(area: u16) -> Option<&'static [Tz]> {
    Some(match area {
        226 | 249 | 263 | 289 | 343 | 354 | 365 | 382 | 416 | 437 | 438 | 450 | 468 | 514 | 519
        | 548 | 579 | 613 | 647 | 683 | 705 | 742 | 753 | 819 | 873 | 905 => TORONTO,
        807 => TORONTO_OR_WINNIPEG,
        367 | 418 | 581 => EAST_QUEBEC,
        204 | 431 | 584 => WINNIPEG,
        306 | 474 | 639 => SASKATCHEWAN,
        368 | 403 | 587 | 780 | 825 => EDMONTON,
        604 => VANCOUVER,
        236 | 250 | 672 | 778 => BRITISH_COLUMBIA,
        428 | 506 | 782 | 902 => HALIFAX,
        709 | 879 => NEWFOUNDLAND_AND_LABRADOR,
        _ => return None,
    })
}
