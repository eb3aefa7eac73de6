// For fuzz targets: any octets as the configuration of a program are problems with a text, or a
// configuration that is printed and read again to the same.
#pragma once

#include <cstddef>
#include <string>

#include "base/check.h"
#include "config/schema.h"

namespace timepool::config::fuzzing {

template <class C>
void check_settings(const Schema<C>& schema, const unsigned char* data, std::size_t size) {
  const auto first = parse(schema, {{"input", std::string(data, data + size)}});
  if (!first.ok()) {
    CHECK(!first.error().empty());
    for (const Problem& problem : first.error()) CHECK(!problem.text.empty());
    return;
  }
  const auto second = parse(schema, {{"printed", print_config(schema, *first)}});
  CHECK(second.ok());
  CHECK(*second == *first);
}

}  // namespace timepool::config::fuzzing
