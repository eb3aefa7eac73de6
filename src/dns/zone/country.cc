#include "dns/zone/country.h"

namespace timepool::dns {
namespace {

struct Members {
  Continent continent;
  std::string_view countries;  // separated by single spaces
};

// "eu" and "ap" are not countries, but address databases use them where nothing finer is known;
// "an" (dissolved) and "uk" are still names of pool zones; "xk" is what databases use for Kosovo.
constexpr Members kMembers[] = {
    {Continent::kAfrica,
     "ao bf bi bj bw cd cf cg ci cm cv dj dz eg eh er et ga gh gm gn gq gw ke km lr ls ly ma mg "
     "ml mr mu mw mz na ne ng re rw sc sd sh sl sn so ss st sz td tg tn tz ug yt za zm zw"},
    {Continent::kAntarctica, "aq bv gs hm tf"},
    {Continent::kAsia,
     "ae af am ap az bd bh bn bt cc cn cx ge hk id il in io iq ir jo jp kg kh kp kr kw kz la lb "
     "lk mm mn mo mv my np om ph pk ps qa sa sg sy th tj tm tw uz vn ye"},
    {Continent::kEurope,
     "ad al at ax ba be bg by ch cy cz de dk ee es eu fi fo fr gb gg gi gr hr hu ie im is it je "
     "li lt lu lv mc md me mk mt nl no pl pt ro rs ru se si sj sk sm tr ua uk va xk"},
    {Continent::kNorthAmerica,
     "ag ai an aw bb bl bm bq bs bz ca cr cu cw dm do gd gl gp gt hn ht jm kn ky lc mf mq ms mx "
     "ni pa pm pr sv sx tc tt us vc vg vi"},
    {Continent::kOceania,
     "as au ck fj fm gu ki mh mp nc nf nr nu nz pf pg pn pw sb tk tl to tv um vu wf ws"},
    {Continent::kSouthAmerica, "ar bo br cl co ec fk gf gy pe py sr uy ve"},
};

constexpr std::size_t index_of(std::uint16_t bits) {
  return static_cast<std::size_t>((bits >> 8) - 'a') * 26 +
         static_cast<std::size_t>((bits & 0xff) - 'a');
}

constexpr auto kTable = [] {
  std::array<Continent, std::size_t{26} * 26> table{};
  for (const Members& members : kMembers) {
    for (std::size_t at = 0; at < members.countries.size(); at += 3) {
      const CountryCode code = CountryCode::from_text(members.countries.substr(at, 2));
      table[index_of(code.bits())] = members.continent;
    }
  }
  return table;
}();

constexpr std::array<std::string_view, 8> kNames{
    "", "africa", "antarctica", "asia", "europe", "north-america", "oceania", "south-america"};

}  // namespace

std::string CountryCode::text() const {
  if (!known()) return {};
  return {static_cast<char>(bits_ >> 8), static_cast<char>(bits_ & 0xff)};
}

std::string_view name_of(Continent continent) {
  return kNames[static_cast<std::size_t>(continent)];
}

Continent continent_named(std::string_view name) {
  for (const Continent continent : kContinents) {
    if (name_of(continent) == name) return continent;
  }
  return Continent::kNone;
}

Continent continent_of(CountryCode country) {
  return country.known() ? kTable[index_of(country.bits())] : Continent::kNone;
}

CountryCode other_name(CountryCode country) {
  constexpr CountryCode kGb = CountryCode::from_text("gb");
  constexpr CountryCode kUk = CountryCode::from_text("uk");
  if (country == kGb) return kUk;
  if (country == kUk) return kGb;
  return {};
}

}  // namespace timepool::dns
