// Breaks a message at every byte: each shorter one, each longer by one, each with a byte changed.
#pragma once
#include <string>
#include <string_view>

namespace pgtandem::wire {

template <class Visit>
void for_each_truncation(std::string_view message, Visit visit) {
    for (std::size_t size = 0; size < message.size(); ++size) visit(std::string(message.substr(0, size)));
}

template <class Visit>
void for_each_flip(std::string_view message, Visit visit) {
    for (std::size_t at = 0; at < message.size(); ++at) {
        std::string broken(message);
        broken[at] = static_cast<char>(broken[at] ^ 1);
        visit(broken);
    }
}

}  // namespace pgtandem::wire
