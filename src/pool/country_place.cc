#include "pool/country_place.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace timepool::pool {
namespace {

struct Row {
  std::string_view country;
  std::int16_t latitude;
  std::int16_t longitude;
};

// By code. Of the largest or the chief city, as the time zone database's zone.tab (which is in the
// public domain) has it, in whole degrees.
constexpr std::array kRows = std::to_array<Row>(
    {{"ad", 42, 2},     {"ae", 25, 55},   {"af", 35, 69},    {"ag", 17, -62},   {"ai", 18, -63},
     {"al", 41, 20},    {"am", 40, 44},   {"ao", -9, 13},    {"aq", -78, 167},  {"ar", -35, -58},
     {"as", -14, -171}, {"at", 48, 16},   {"au", -34, 151},  {"aw", 12, -70},   {"ax", 60, 20},
     {"az", 40, 50},    {"ba", 44, 18},   {"bb", 13, -60},   {"bd", 24, 90},    {"be", 51, 4},
     {"bf", 12, -2},    {"bg", 43, 23},   {"bh", 26, 51},    {"bi", -3, 29},    {"bj", 6, 3},
     {"bl", 18, -63},   {"bm", 32, -65},  {"bn", 5, 115},    {"bo", -16, -68},  {"bq", 12, -68},
     {"br", -24, -47},  {"bs", 25, -77},  {"bt", 27, 90},    {"bv", -54, 3},    {"bw", -25, 26},
     {"by", 54, 28},    {"bz", 18, -88},  {"ca", 44, -79},   {"cc", -12, 97},   {"cd", -4, 15},
     {"cf", 4, 19},     {"cg", -4, 15},   {"ch", 47, 9},     {"ci", 5, -4},     {"ck", -21, -160},
     {"cl", -33, -71},  {"cm", 4, 10},    {"cn", 31, 121},   {"co", 5, -74},    {"cr", 10, -84},
     {"cu", 23, -82},   {"cv", 15, -24},  {"cw", 12, -69},   {"cx", -10, 106},  {"cy", 35, 33},
     {"cz", 50, 14},    {"de", 52, 13},   {"dj", 12, 43},    {"dk", 56, 13},    {"dm", 15, -61},
     {"do", 18, -70},   {"dz", 37, 3},    {"ec", -2, -80},   {"ee", 59, 25},    {"eg", 30, 31},
     {"eh", 27, -13},   {"er", 15, 39},   {"es", 40, -4},    {"et", 9, 39},     {"fi", 60, 25},
     {"fj", -18, 178},  {"fk", -52, -58}, {"fm", 7, 158},    {"fo", 62, -7},    {"fr", 49, 2},
     {"ga", 0, 9},      {"gb", 52, 0},    {"gd", 12, -62},   {"ge", 42, 45},    {"gf", 5, -52},
     {"gg", 49, -3},    {"gh", 6, 0},     {"gi", 36, -5},    {"gl", 64, -52},   {"gm", 13, -17},
     {"gn", 10, -14},   {"gp", 16, -62},  {"gq", 4, 9},      {"gr", 38, 24},    {"gs", -54, -37},
     {"gt", 15, -91},   {"gu", 13, 145},  {"gw", 12, -16},   {"gy", 7, -58},    {"hk", 22, 114},
     {"hm", -53, 73},   {"hn", 14, -87},  {"hr", 46, 16},    {"ht", 19, -72},   {"hu", 48, 19},
     {"id", -6, 107},   {"ie", 53, -6},   {"il", 32, 35},    {"im", 54, -4},    {"in", 23, 88},
     {"io", -7, 72},    {"iq", 33, 44},   {"ir", 36, 51},    {"is", 64, -22},   {"it", 42, 12},
     {"je", 49, -2},    {"jm", 18, -77},  {"jo", 32, 36},    {"jp", 36, 140},   {"ke", -1, 37},
     {"kg", 43, 75},    {"kh", 12, 105},  {"ki", 1, 173},    {"km", -12, 43},   {"kn", 17, -63},
     {"kp", 39, 126},   {"kr", 38, 127},  {"kw", 29, 48},    {"ky", 19, -81},   {"kz", 43, 77},
     {"la", 18, 103},   {"lb", 34, 36},   {"lc", 14, -61},   {"li", 47, 10},    {"lk", 7, 80},
     {"lr", 6, -11},    {"ls", -29, 28},  {"lt", 55, 25},    {"lu", 50, 6},     {"lv", 57, 24},
     {"ly", 33, 13},    {"ma", 34, -8},   {"mc", 44, 7},     {"md", 47, 29},    {"me", 42, 19},
     {"mf", 18, -63},   {"mg", -19, 48},  {"mh", 7, 171},    {"mk", 42, 21},    {"ml", 13, -8},
     {"mm", 17, 96},    {"mn", 48, 107},  {"mo", 22, 114},   {"mp", 15, 146},   {"mq", 15, -61},
     {"mr", 18, -16},   {"ms", 17, -62},  {"mt", 36, 15},    {"mu", -20, 58},   {"mv", 4, 74},
     {"mw", -16, 35},   {"mx", 19, -99},  {"my", 3, 102},    {"mz", -26, 33},   {"na", -23, 17},
     {"nc", -22, 166},  {"ne", 14, 2},    {"nf", -29, 168},  {"ng", 6, 3},      {"ni", 12, -86},
     {"nl", 52, 5},     {"no", 60, 11},   {"np", 28, 85},    {"nr", -1, 167},   {"nu", -19, -170},
     {"nz", -37, 175},  {"om", 24, 59},   {"pa", 9, -80},    {"pe", -12, -77},  {"pf", -18, -150},
     {"pg", -10, 147},  {"ph", 15, 121},  {"pk", 25, 67},    {"pl", 52, 21},    {"pm", 47, -56},
     {"pn", -25, -130}, {"pr", 18, -66},  {"ps", 32, 35},    {"pt", 39, -9},    {"pw", 7, 134},
     {"py", -25, -58},  {"qa", 25, 52},   {"re", -21, 55},   {"ro", 44, 26},    {"rs", 45, 20},
     {"ru", 56, 38},    {"rw", -2, 30},   {"sa", 25, 47},    {"sb", -10, 160},  {"sc", -5, 55},
     {"sd", 16, 33},    {"se", 59, 18},   {"sg", 1, 104},    {"sh", -16, -6},   {"si", 46, 15},
     {"sj", 78, 16},    {"sk", 48, 17},   {"sl", 8, -13},    {"sm", 44, 12},    {"sn", 15, -17},
     {"so", 2, 45},     {"sr", 6, -55},   {"ss", 5, 32},     {"st", 0, 7},      {"sv", 14, -89},
     {"sx", 18, -63},   {"sy", 34, 36},   {"sz", -26, 31},   {"tc", 21, -71},   {"td", 12, 15},
     {"tf", -49, 70},   {"tg", 6, 1},     {"th", 14, 101},   {"tj", 39, 69},    {"tk", -9, -171},
     {"tl", -9, 126},   {"tm", 38, 58},   {"tn", 37, 10},    {"to", -21, -175}, {"tr", 41, 29},
     {"tt", 11, -62},   {"tv", -9, 179},  {"tw", 25, 122},   {"tz", -7, 39},    {"ua", 50, 31},
     {"ug", 0, 32},     {"um", 19, 167},  {"us", 42, -88},   {"uy", -35, -56},  {"uz", 41, 69},
     {"va", 42, 12},    {"vc", 13, -61},  {"ve", 10, -67},   {"vg", 18, -65},   {"vi", 18, -65},
     {"vn", 11, 107},   {"vu", -18, 168}, {"wf", -13, -176}, {"ws", -14, -172}, {"xk", 43, 21},
     {"ye", 13, 45},    {"yt", -13, 45},  {"za", -26, 28},   {"zm", -15, 28},   {"zw", -18, 31}});
static_assert(std::is_sorted(kRows.begin(), kRows.end(),
                             [](const Row& a, const Row& b) { return a.country < b.country; }));

double radians(int degrees) {
  return degrees * std::numbers::pi / 180;
}

}  // namespace

std::optional<Place> place_of_country(std::string_view country) {
  const auto at =
      std::lower_bound(kRows.begin(), kRows.end(), country,
                       [](const Row& row, std::string_view want) { return row.country < want; });
  if (at == kRows.end() || at->country != country) return std::nullopt;
  return Place{at->latitude, at->longitude};
}

std::vector<std::string_view> countries_with_a_place() {
  std::vector<std::string_view> out;
  out.reserve(kRows.size());
  for (const Row& row : kRows) out.push_back(row.country);
  return out;
}

std::uint32_t distance_km(const Place& a, const Place& b) {
  constexpr double kEarthRadiusKm = 6371;
  const double up = std::sin(radians(a.latitude - b.latitude) / 2);
  const double along = std::sin(radians(a.longitude - b.longitude) / 2);
  const double h =
      up * up + std::cos(radians(a.latitude)) * std::cos(radians(b.latitude)) * along * along;
  return static_cast<std::uint32_t>(
      std::lround(2 * kEarthRadiusKm * std::asin(std::min(1.0, std::sqrt(h)))));
}

}  // namespace timepool::pool
