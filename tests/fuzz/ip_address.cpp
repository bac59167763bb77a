// A numeric address, as it stands in pg_hba.conf: it is in the network of itself alone, and in that of all.
#include "proxy/network.hpp"
#include "support/fuzz.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(ip_address) {
    auto const address = proxy::IpAddress::parse(std::string(input));
    if (!address) return;
    proxy::IpAddress all;
    all.is_v6 = address->is_v6;
    auto one = all;
    one.bytes.fill(0xff);
    fuzz::require(proxy::Network{all, all}.contains(*address) && proxy::Network{*address, one}.contains(*address));
    auto other = *address;
    other.bytes[3] ^= 1;
    fuzz::require(!proxy::Network{*address, one}.contains(other));
}
