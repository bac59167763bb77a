#include "sql/fingerprint.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "sql/lexer.hpp"

namespace pgtandem::sql {

namespace {

// Gathers bytes and mixes them sixteen at a time by a 64x64->128-bit multiplication with the seed in both factors.
class Mixer {
public:
    explicit Mixer(std::uint64_t seed) : seed_(mixed(seed ^ first, second)), state_(seed_) {}

    void add(char byte) {
        buffer_[used_++] = byte;
        if (used_ == sizeof buffer_) absorb();
    }
    void add_folded(std::string_view word) {
        for (char c : word) add(static_cast<char>(identifier_fold[static_cast<unsigned char>(c)]));
    }
    void add(std::string_view bytes) {
        for (char c : bytes) add(c);
    }
    // As add(), a buffer at a time: of tokens, which are short, add() is faster.
    void add_many(std::string_view bytes) {
        while (!bytes.empty()) {
            auto const count = std::min(bytes.size(), sizeof buffer_ - used_);
            std::memcpy(buffer_ + used_, bytes.data(), count);
            used_ += count;
            bytes.remove_prefix(count);
            if (used_ == sizeof buffer_) absorb();
        }
    }
    std::uint64_t finish() {
        total_ += used_;
        std::memset(buffer_ + used_, 0, sizeof buffer_ - used_);
        used_ = (used_ + 15) / 16 * 16;
        total_ -= used_;  // absorb() counts the padding too
        absorb();
        return mixed(state_ ^ first, total_ ^ seed_ ^ second);
    }

private:
    static constexpr std::uint64_t first = 0xa0761d6478bd642f;
    static constexpr std::uint64_t second = 0xe7037ed1a0b428db;

    static std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
        __extension__ using Wide = unsigned __int128;
        auto const product = static_cast<Wide>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    void absorb() {
        for (std::size_t at = 0; at < used_; at += 16) {
            std::uint64_t words[2];
            std::memcpy(words, buffer_ + at, sizeof words);
            state_ = mixed(words[0] ^ state_ ^ first, words[1] ^ seed_);
        }
        total_ += used_;
        used_ = 0;
    }

    std::uint64_t seed_;
    std::uint64_t state_;
    std::uint64_t total_ = 0;
    std::size_t used_ = 0;
    char buffer_[256];
};

// Between tokens stands a byte that no token has within it.
constexpr char separator = '\1';
constexpr char literal = '\2';
constexpr char unterminated = '\3';

}  // namespace

std::uint64_t fingerprint(std::string_view text, bool standard_conforming_strings, std::uint64_t seed) {
    Mixer mixer(seed);
    mixer.add(standard_conforming_strings ? '1' : '0');
    for (Lexer lexer(text, standard_conforming_strings);;) {
        auto const token = lexer.next();
        switch (token.kind) {
            case Token::Kind::end: return mixer.finish();
            case Token::Kind::broken:
                mixer.add(unterminated);
                mixer.add(token.text);
                return mixer.finish();
            case Token::Kind::word: mixer.add_folded(token.text); break;
            case Token::Kind::string:
            case Token::Kind::number: mixer.add(literal); break;
            default: mixer.add(token.text); break;
        }
        mixer.add(separator);
    }
}

std::uint64_t keyed_hash(std::string_view bytes, std::uint64_t seed) {
    Mixer mixer(seed);
    mixer.add_many(bytes);
    return mixer.finish();
}

}  // namespace pgtandem::sql
