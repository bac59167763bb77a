#include "io/tls_link.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace pgtandem::io {

namespace {

TlsSession::Link& link_of(BIO* bio) { return *static_cast<TlsSession::Link*>(BIO_get_data(bio)); }

int write_link(BIO* bio, char const* bytes, std::size_t count, std::size_t* written) {
    link_of(bio).socket->append({bytes, count});
    *written = count;
    return 1;
}

int read_link(BIO* bio, char* to, std::size_t wanted, std::size_t* got) {
    BIO_clear_retry_flags(bio);
    auto& received = link_of(bio).received;
    *got = std::min(wanted, received.size());
    if (*got == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    std::memcpy(to, received.data(), *got);
    received.remove_prefix(*got);
    return 1;
}

long control_link(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* make_method() {
    auto* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pgtandem link");
    if (!method) throw std::bad_alloc();
    BIO_meth_set_write_ex(method, write_link);
    BIO_meth_set_read_ex(method, read_link);
    BIO_meth_set_ctrl(method, control_link);
    return method;
}

}  // namespace

BIO* make_link_bio(TlsSession::Link& link) {
    static BIO_METHOD* const method = make_method();
    auto* const bio = BIO_new(method);
    if (!bio) throw std::bad_alloc();
    BIO_set_data(bio, &link);
    BIO_set_init(bio, 1);
    return bio;
}

}  // namespace pgtandem::io
