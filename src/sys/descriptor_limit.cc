#include "sys/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace timepool::sys {

std::size_t descriptors_for(std::size_t wanted, int newest, std::size_t reserved) {
  const std::size_t kept = static_cast<std::size_t>(newest) + 1 + reserved;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return 1;
  if (limit.rlim_cur < wanted + kept && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = std::min<rlim_t>(wanted + kept, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur <= kept) return 1;
  return std::min<std::size_t>(wanted, static_cast<std::size_t>(limit.rlim_cur) - kept);
}

}  // namespace timepool::sys
