// What ldns hands out, freed when its owner goes.
#pragma once

#include <ldns/ldns.h>

#include <cstdlib>
#include <memory>

namespace timepool::ldns {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
struct CFree {
  void operator()(void* pointer) const { std::free(pointer); }
};

using Packet = std::unique_ptr<ldns_pkt, Deleter<ldns_pkt_free>>;
using Record = std::unique_ptr<ldns_rr, Deleter<ldns_rr_free>>;
using Buffer = std::unique_ptr<ldns_buffer, Deleter<ldns_buffer_free>>;
template <class T>
using CPointer = std::unique_ptr<T, CFree>;

}  // namespace timepool::ldns
