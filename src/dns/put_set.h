// The records of one set put into a reply as an unsigned answer has them: drawn by weight, or all
// of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/asked.h"
#include "dns/reply.h"

namespace timepool::dns {

// What was drawn is in the worker's `handed`, or in `added` for the additional section. False when
// it does not fit; part of it may stand there then.
bool put_set(const Asked& asked, Reply& reply, wire::dns::Section section,
             const CompiledZones::Set& set, std::size_t owner_at);

// The same of certain records of the set, by their number in it.
bool put_some(const CompiledZones& zones, Reply& reply, wire::dns::Section section,
              const CompiledZones::Set& set, std::span<const std::uint32_t> records,
              std::size_t owner_at);

}  // namespace timepool::dns
