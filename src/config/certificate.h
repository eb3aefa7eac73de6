// The settings of one certificate, of every server that shows some. C has the members of
// sys::CertificateFiles.
#pragma once

#include "config/schema.h"

namespace timepool::config {

template <class C>
Schema<C> certificate_schema_of() {
  Schema<C> out;
  out.required("chain", &C::chain, path(),
               "A PEM file: the server's certificate, and behind it those that lead to an "
               "authority, each signed by the next.")
      .required("key", &C::key, path(),
                "A PEM file with the private key, without a password. It is refused when others "
                "can read it.");
  return out;
}

}  // namespace timepool::config
