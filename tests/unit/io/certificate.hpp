// A self-signed certificate and its key in a temporary folder, for the name "db.example".
#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "base/files.hpp"

namespace pgtandem::io {

class Certificate {
public:
    explicit Certificate(EVP_MD const* signed_with = EVP_sha256()) {
        char pattern[] = "/tmp/pgtandem-tls-XXXXXX";
        folder_ = mkdtemp(pattern);
        std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key(EVP_RSA_gen(2048), EVP_PKEY_free);
        std::unique_ptr<X509, decltype(&X509_free)> const made(X509_new(), X509_free);
        X509_set_version(made.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
        X509_set_pubkey(made.get(), key.get());
        auto* const name = X509_get_subject_name(made.get());
        auto const* const text = reinterpret_cast<unsigned char const*>("db.example");
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
        X509_set_issuer_name(made.get(), name);
        X509_sign(made.get(), key.get(), signed_with);
        unsigned length = 0;
        unsigned char digest[EVP_MAX_MD_SIZE];
        X509_digest(made.get(), signed_with, digest, &length);
        digest_.assign(reinterpret_cast<char const*>(digest), length);
        write(certificate(), [&](FILE* file) { PEM_write_X509(file, made.get()); });
        write(this->key(),
              [&](FILE* file) { PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
        chmod(this->key().c_str(), 0600);
    }
    Certificate(Certificate const&) = delete;
    ~Certificate() { std::filesystem::remove_all(folder_); }

    Path certificate() const { return folder_ / "server.crt"; }
    Path key() const { return folder_ / "server.key"; }
    // By the hash it was signed with.
    std::string const& digest() const { return digest_; }

private:
    template <class Write>
    static void write(Path const& path, Write const& write_to) {
        std::unique_ptr<FILE, int (*)(FILE*)> const file(fopen(path.c_str(), "w"), fclose);
        write_to(file.get());
    }

    Path folder_;
    std::string digest_;
};

}  // namespace pgtandem::io
