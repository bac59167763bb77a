// One parser's fuzz target: PGTANDEM_FUZZ_TARGET(name) { ... } with the input as 'input'. Every file of tests/fuzz/
// holds one, named as the file. With libFuzzer it is the program NAME_fuzz; otherwise it is replayed by fuzz_replay.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace pgtandem::fuzz {

using Target = void (*)(std::string_view input);

// Every target of this program by its name.
inline std::map<std::string, Target>& targets() {
    static std::map<std::string, Target> all;
    return all;
}

struct Registration {
    Registration(char const* name, Target target) { targets()[name] = target; }
};

// What a parser promises, beyond not crashing; ends the program when it does not hold.
inline void require(bool promise) {
    if (!promise) __builtin_trap();
}

}  // namespace pgtandem::fuzz

#define PGTANDEM_FUZZ_TARGET(name)                                                  \
    static void fuzz_##name(std::string_view input);                                \
    static pgtandem::fuzz::Registration const register_##name(#name, &fuzz_##name); \
    static void fuzz_##name(std::string_view input)
