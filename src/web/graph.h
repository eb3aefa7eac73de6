// The history of one server as an SVG picture: the score on top, the offsets of all checks below.
// Made on the server, so that the page needs no script; colours come from the style sheet.
#pragma once

#include <string>
#include <vector>

#include "store/history.h"

namespace timepool::web {

// `entries` in the order of time: with a monitor its checks (dots), without one the server's score
// (the line). `min_score` is drawn as the border of being in DNS. Fewer than two entries give a
// text instead of a picture.
std::string history_graph(const std::vector<store::ScoreEntry>& entries, double min_score);

}  // namespace timepool::web
