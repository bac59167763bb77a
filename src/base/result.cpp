#include "base/result.hpp"

#include <cerrno>
#include <system_error>

namespace pgtandem {

std::string errno_text(int number) { return std::generic_category().message(number); }

tl::unexpected<Error> fail_errno(std::string what, std::string on) {
    int const number = errno;
    return fail(std::move(what), std::move(on), errno_text(number));
}

}  // namespace pgtandem
