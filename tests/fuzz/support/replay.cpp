// Gives every target the inputs of its corpus folder, and all their beginnings, and what the fuzzer has found (see
// tests/support/fuzz_found.py): `fuzz_replay tests/fuzz/corpus tests/fuzz/found`.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "support/fuzz.hpp"
#include "wire/base64.hpp"

namespace {

using namespace pgtandem;

constexpr std::size_t most_beginnings = 1000;

// A parser that reads past what it was given is only caught where the memory ends there.
void run_on_exact_copy(fuzz::Target target, std::string_view input) {
    auto const copy = std::make_unique<char[]>(input.size());
    std::copy(input.begin(), input.end(), copy.get());
    target({copy.get(), input.size()});
}

Result<int> replay(fuzz::Target target, Path const& corpus) {
    std::error_code error;
    int inputs = 0;
    for (std::filesystem::directory_iterator entry(corpus, error), end; !error && entry != end;
         entry.increment(error)) {
        // Said before it is run: what crashes is the last one named.
        std::printf(" %s", entry->path().filename().c_str());
        std::fflush(stdout);
        PGTANDEM_TRY(input, read_file(entry->path()));
        auto const step = 1 + input.size() / most_beginnings;
        for (std::size_t size = 0; size < input.size(); size += step) {
            run_on_exact_copy(target, std::string_view(input).substr(0, size));
        }
        run_on_exact_copy(target, input);
        ++inputs;
    }
    if (inputs == 0) return fail("replaying", corpus.string(), "no inputs are there");
    return inputs;
}

// One input a line, in base64. A target need not have been fuzzed yet.
Result<int> replay_found(fuzz::Target target, Path const& file) {
    if (!std::filesystem::exists(file)) return 0;
    PGTANDEM_TRY(text, read_file(file));
    int inputs = 0;
    for (auto const& line : split_lines(text)) {
        if (line.empty()) continue;
        auto const input = wire::base64_decode(line);
        if (!input) return fail("replaying", file.string(), fmt::format("line {} is no base64", inputs + 1));
        // They are many: what crashes is one of the next hundred.
        if (inputs++ % 100 == 0) std::printf(" from %d", inputs);
        std::fflush(stdout);
        run_on_exact_copy(target, *input);
    }
    return inputs;
}

}  // namespace

int main(int count, char** words) {
    if (count != 3) {
        std::fprintf(stderr, "usage: fuzz_replay CORPUS FOUND\n");
        return 2;
    }
    int passed = 0;
    int failed = 0;
    for (auto const& [name, target] : fuzz::targets()) {
        std::printf("%s:", name.c_str());
        for (auto const& replayed : {replay(target, Path(words[1]) / name), replay_found(target, Path(words[2]) / name)}) {
            if (replayed) {
                passed += *replayed;
            } else {
                ++failed;
                std::printf(" %s", replayed.error().line().c_str());
            }
        }
        std::printf("\n");
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
