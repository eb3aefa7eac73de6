// AnswerStream: an answer by TCP of more than one message. The connection takes the next message
// when there is room for it, and no further query of its client until the last one is written.
#pragma once

#include <cstddef>

#include "base/byte_reader.h"

namespace timepool::dnsd {

class AnswerStream {
 public:
  virtual ~AnswerStream() = default;
  // Writes the next message into `reply`, which has room for the longest there is; its size, 0
  // when the last one was written.
  virtual std::size_t next(MutableBytes reply) = 0;
};

}  // namespace timepool::dnsd
