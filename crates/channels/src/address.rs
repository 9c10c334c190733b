//! Which addresses belong to the public internet, and so may be called on a stranger's word (AM-07).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` is a unicast address of the public internet.
///
/// Everything set aside by the special-purpose registries is not: loopback, private, link-local, shared (CGNAT),
/// documentation, benchmarking, multicast, reserved, unspecified. An IPv6 address that carries an IPv4 one is
/// judged by the one it carries.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let reserved = match address.octets() {
        [0 | 10 | 127, ..] => true, // this network, private, loopback
        [100, second, ..] => second & 0xc0 == 64, // shared by carriers, 100.64/10
        [169, 254, ..] => true,     // link-local, with the clouds' metadata
        [172, second, ..] => second & 0xf0 == 16, // private, 172.16/12
        [192, 168, ..] => true,     // private
        [192, 0, 0 | 2, _] => true, // protocol assignments, documentation
        [192, 88, 99, _] => true,   // relays of 6to4
        [198, 18 | 19, ..] => true, // benchmarking
        [198, 51, 100, _] | [203, 0, 113, _] => true, // documentation
        [first, ..] => 224 <= first, // multicast, reserved, broadcast
    };
    !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(carried) = address.to_ipv4_mapped() {
        return is_public_v4(carried);
    }
    let [first, second, third, fourth, fifth, sixth, seventh, eighth] = address.segments();
    if [first, second, third, fourth, fifth, sixth] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [[a, b], [c, d]] = [seventh.to_be_bytes(), eighth.to_be_bytes()];
        return is_public_v4(Ipv4Addr::new(a, b, c, d)); // NAT64, of use on networks without IPv4
    }
    let global_unicast = first & 0xe000 == 0x2000;
    let set_aside = match first {
        0x2001 => second < 0x0200 || second == 0x0db8, // protocols with Teredo and ORCHID, documentation
        0x2002 => true,            // 6to4: carries any IPv4 address, long out of use
        0x3fff => second < 0x1000, // documentation
        _ => false,
    };
    global_unicast && !set_aside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_may_be_called() {
        let cases = [
            ("8.8.8.8", true),
            ("1.1.1.1", true),
            ("157.240.0.53", true),
            ("223.255.255.255", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("9.255.255.255", true),
            ("10.0.0.0", false),
            ("10.255.255.255", false),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("169.253.255.255", true),
            ("169.254.169.254", false),
            ("172.15.255.255", true),
            ("172.16.0.0", false),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("192.0.0.8", false),
            ("192.0.1.1", true),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.167.255.255", true),
            ("192.168.0.1", false),
            ("192.169.0.0", true),
            ("198.17.255.255", true),
            ("198.18.0.0", false),
            ("198.19.255.255", false),
            ("198.20.0.0", true),
            ("198.51.100.7", false),
            ("203.0.113.7", false),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::7f00:1", false),
            ("::808:808", false),
            ("::ffff:8.8.8.8", true),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.1.2.3", false),
            ("::ffff:169.254.169.254", false),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b:1::808:808", false),
            ("100::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("fe80::1", false),
            ("febf::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("2001::1", false),
            ("2001:0:7f00:1::", false),
            ("2001:2::1", false),
            ("2001:10::1", false),
            ("2001:1ff::1", false),
            ("2001:200::1", true),
            ("2001:db8::1", false),
            ("2001:4860:4860::8888", true),
            ("2002:7f00:1::1", false),
            ("2002:a00:1::1", false),
            ("2002:808:808::1", false),
            ("2606:4700:4700::1111", true),
            ("2a03:2880:f10e:83::25de", true),
            ("3fff::1", false),
            ("3fff:fff::1", false),
            ("3fff:1000::1", true),
            ("4000::1", false),
            ("5f00::1", false),
        ];
        for (address, expected) in cases {
            let parsed: IpAddr = address.parse().unwrap();
            assert_eq!(is_public(parsed), expected, "{address}");
        }
    }
}
