// What the operator may have done with sources that are there.
#include "ntp/source_set.h"

namespace timepool::ntp {
namespace {

// By its own name, or by that of the pool that named it.
bool matches_whole(const SourceMatch& match, const Source& source, const SourceTable& sources) {
  if (match.matches(source)) return true;
  const Source* pool = sources.find(source.config().pool);
  return pool != nullptr && match.matches(*pool);
}

}  // namespace

std::size_t SourceSet::set_online(const SourceMatch& match, bool online, MonoTime now) {
  std::size_t count = 0;
  for (Source& source : population_.sources()) {
    const bool whole = matches_whole(match, source, population_.sources());
    // So that the servers that take the place of others are like them.
    if (whole) source.set_online(online);
    std::size_t servers = 0;
    for (Member& member : population_.members()) {
      if (member.source != source.id() || !member.association) continue;
      if (!whole && !match.matches(member.association->server().address)) continue;
      member.association->set_online(online, now);
      ++servers;
    }
    count += whole && servers == 0 ? 1 : servers;
  }
  return count;
}

std::size_t SourceSet::begin_burst(const SourceMatch& match, BurstSize size, MonoTime now) {
  std::size_t count = 0;
  for (const Source& source : population_.sources()) {
    for (Member& member : population_.members()) {
      if (member.source != source.id() || !member.association) continue;
      const bool meant = matches_whole(match, source, population_.sources()) ||
                         match.matches(member.association->server().address);
      if (meant && member.association->begin_burst(now, size)) ++count;
    }
  }
  return count;
}

}  // namespace timepool::ntp
