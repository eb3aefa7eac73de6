#include "ntp/cause.h"

#include <array>

namespace timepool::ntp {
namespace {

struct Row {
  char letter;
  std::string_view name;
  std::string_view sentence;
};

// In the order of the enumeration.
constexpr std::array<Row, kCauseCount> kRows{{
    {'*', "selected", "It is the best of the sources that agree, and the reference."},
    {'+', "combined", "It agrees with the reference, and its time is combined with it."},
    {'D', "too_far_to_combine",
     "It agrees with the reference, but its error bound is so much wider that its time would add "
     "nothing."},
    {'P', "not_preferred", "It agrees, but another source that agrees is preferred by setting."},
    {'W', "waits_for_others",
     "It agrees with others, but fewer agree than min_sources asks for, or none of those that are "
     "required."},
    {'x', "falseticker",
     "The majority of the sources agrees on a time that it excludes: its clock is wrong, or the "
     "way "
     "to it is more lopsided than its own figures allow."},
    {'T', "distrusted",
     "It is no trusted source, and its time may lie outside what the trusted sources agree on."},
    {'c', "contested",
     "Two groups of sources, as large as each other, contradict each other; it agrees with one of "
     "them only."},
    {'n', "no_majority", "No majority of the sources agrees, so nobody can tell who is right."},
    {'w', "undecided",
     "Sources that have not answered yet could still outvote it, so nobody is believed until "
     "then."},
    {'N', "noselect", "It is measured only: the setting noselect keeps it from being used."},
    {'A', "not_authentic",
     "Its replies are not authenticated, and auth_selection keeps such sources from being used."},
    {'O', "ourselves", "It is this machine's own server."},
    {'L', "loop", "It is synchronised to this machine: following it would be following ourselves."},
    {'?', "unreachable", "None of the last eight requests brought a usable answer."},
    {'r', "remembered",
     "None of the last eight requests brought a usable answer, but it agreed with the majority "
     "within the last hour: what it said then still counts against those who contradict it."},
    {'M', "no_samples", "There is no measurement of it yet."},
    {'s', "unsynchronised", "It says that its own clock is not synchronised."},
    {'S', "stratum", "Its stratum is outside min_stratum and max_stratum."},
    {'d', "too_distant", "Its error bound is wider than max_distance."},
    {'~', "too_variable", "Its measurements vary by more than max_jitter."},
    {'m', "smeared",
     "It spreads the leap second over hours while the majority of the sources does not, or the "
     "other way round."},
    {'o', "orphan",
     "It serves its own clock since nobody gives it the time, or follows one that does: it is used "
     "only when there is nobody else, and if it has the smallest address of the island."},
}};

}  // namespace

char letter_of(Cause cause) {
  return kRows[static_cast<std::size_t>(cause)].letter;
}

std::string_view name_of(Cause cause) {
  return kRows[static_cast<std::size_t>(cause)].name;
}

std::string_view sentence_of(Cause cause) {
  return kRows[static_cast<std::size_t>(cause)].sentence;
}

}  // namespace timepool::ntp
