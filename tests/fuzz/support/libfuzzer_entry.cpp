// libFuzzer calls the one target of its program.
#include "support/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static auto const target = pgtandem::fuzz::targets().begin()->second;
    target({reinterpret_cast<char const*>(data), size});
    return 0;
}
