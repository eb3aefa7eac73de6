// What the parts of a check of NTS brought, as an outcome that the manager knows. Pure.
#pragma once

#include <optional>
#include <string>

#include "monitord/messages.h"
#include "ntp/dialogue.h"
#include "ntp/nts_authenticator.h"
#include "nts_client/key_client.h"

namespace timepool::monitord {

// RFC 8915 4.1.6: a server should give so many, and that is what a client counts on.
inline constexpr std::size_t kWantedCookies = nts::kMaxCookies;

// Printable ASCII, at most NtsResult::kMaxDetail octets; '?' for anything else.
std::string detail_of(std::string_view text);

// How a key establishment ended, into `out`: kOk when there are keys and cookies to go on with.
// False when the fault was ours: then there is nothing to say about the server.
bool judge_keys(const nts_client::KeyResult& result, NtsResult& out);

// An authentic answer to a request that asked for `wanted` cookies and brought `got`. False as
// above.
bool judge_answer(const ntp::Reply& answer, std::size_t wanted, std::size_t got, NtsResult& out);

// No authentic answer came to any request: what replies were found to be says why.
void judge_silence(const ntp::NtsState& state, NtsResult& out);

}  // namespace timepool::monitord
