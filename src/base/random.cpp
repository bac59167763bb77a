#include "base/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace pgtandem {

std::string random_word(std::size_t length) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    // Values of 248 and above are drawn again: 62 divides 248, so that each letter is equally likely.
    constexpr unsigned fair = 256 - 256 % letters.size();
    std::string word;
    while (word.size() < length) {
        unsigned char byte = 0;
        if (::getrandom(&byte, 1, 0) != 1) {
            if (errno == EINTR) continue;
            std::abort();
        }
        if (byte < fair) word += letters[byte % letters.size()];
    }
    return word;
}

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    for (std::size_t done = 0; done < count;) {
        auto const got = ::getrandom(bytes.data() + done, count - done, 0);
        if (got < 0 && errno != EINTR) std::abort();
        if (got > 0) done += static_cast<std::size_t>(got);
    }
    return bytes;
}

}  // namespace pgtandem
