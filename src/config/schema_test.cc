#include "config/schema.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::config {
namespace {

enum class Mode { kObserve, kSteer };

struct Item {
  std::string name;
  int weight = 10;
  bool operator==(const Item&) const = default;
};
struct Inner {
  int threads = 0;
  std::vector<Endpoint> listen;
  std::optional<Duration> offset;
  bool operator==(const Inner&) const = default;
};
struct Sources {
  std::vector<Item> items;
  bool operator==(const Sources&) const = default;
};
struct Root {
  Mode mode = Mode::kObserve;
  std::string socket = "/run/x.sock";
  Duration interval = Duration::seconds(30);
  double ratio = 0.5;
  bool verbose = false;
  std::int64_t buffer = 65536;
  std::vector<Prefix> allow;
  IpAddress source;
  std::optional<Inner> server;
  Sources sources;
  bool operator==(const Root&) const = default;
};

Schema<Root> make_schema() {
  Schema<Item> item;
  item.required("name", &Item::name, text(), "Its name.")
      .field("weight", &Item::weight, integer(0, 100), "Its weight.")
      .check([](const Item& it) -> std::string {
        return it.name == "bad" && it.weight > 0 ? "a bad item needs weight = 0" : "";
      });
  Schema<Sources> sources;
  sources.tables("server", &Sources::items, item, "A source.", 3);
  Schema<Inner> server;
  server.field("threads", &Inner::threads, integer(0, 64), "Threads.")
      .field("listen", &Inner::listen, list_of(endpoint(123), 4), "Addresses.")
      .field("offset", &Inner::offset, maybe(duration(Duration::seconds(-9), Duration::seconds(9))),
             "Offset.")
      .check([](const Inner& it) -> std::string { return it.listen.empty() ? "no address" : ""; });
  Schema<Root> root;
  root.field("mode", &Root::mode,
             one_of<Mode>({{"observe", Mode::kObserve}, {"steer", Mode::kSteer}}), "What is done.")
      .field("socket", &Root::socket, path(), "Socket.")
      .field("interval", &Root::interval, duration(Duration::seconds(1), Duration::seconds(3600)),
             "Interval.")
      .field("ratio", &Root::ratio, number(0, 1), "Ratio.")
      .field("verbose", &Root::verbose, boolean(), "Verbose.")
      .field("buffer", &Root::buffer, byte_count(1024, 1 << 30), "Buffer.")
      .field("allow", &Root::allow, list_of(prefix()), "Blocks.")
      .field("source", &Root::source, ip_address(), "Source.")
      .table("server", &Root::server, server, "Serves.")
      .table("sources", &Root::sources, sources, "Sources.")
      .alias_tables("server", &Root::sources, &Sources::items, item, "sources.server", "A source.",
                    3);
  return root;
}

Result<Root, std::vector<Problem>> read(std::string text) {
  return parse(make_schema(), {{"t.toml", std::move(text)}});
}
std::string problems_of(std::string text) {
  auto result = read(std::move(text));
  return result.ok() ? "ok" : format(result.error());
}

constexpr const char* kFull = R"(mode = "steer"
socket = "/tmp/a\"b.sock"
interval = "1m30s"
ratio = 0.25
verbose = true
buffer = "8MiB"
allow = ["192.0.2.0/24", "2001:db8::/32"]
source = "192.0.2.7"

[server]
threads = 2
listen = ["127.0.0.1", "[::1]:1123"]
offset = "-400ms"

[[sources.server]]
name = "a"

[[sources.server]]
name = "b"
weight = 3
)";

TEST(Schema, an_empty_file_gives_the_defaults) {
  const auto result = read("");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, Root{});
}

TEST(Schema, reads_every_kind_of_setting) {
  const auto result = read(kFull);
  ASSERT_TRUE(result.ok()) << format(result.error());
  EXPECT_EQ(result->mode, Mode::kSteer);
  EXPECT_EQ(result->socket, "/tmp/a\"b.sock");
  EXPECT_EQ(result->interval, Duration::seconds(90));
  EXPECT_EQ(result->ratio, 0.25);
  EXPECT_TRUE(result->verbose);
  EXPECT_EQ(result->buffer, 8 << 20);
  ASSERT_EQ(result->allow.size(), 2u);
  EXPECT_EQ(format(result->allow[1]), "2001:db8::/32");
  ASSERT_TRUE(result->server.has_value());
  EXPECT_EQ(format(result->server->listen[0]), "127.0.0.1:123");
  EXPECT_EQ(format(result->server->listen[1]), "[::1]:1123");
  EXPECT_EQ(result->server->offset, Duration::milliseconds(-400));
  EXPECT_EQ(result->sources.items, (std::vector<Item>{{"a", 10}, {"b", 3}}));
}

TEST(Schema, printed_configuration_parses_to_the_same) {
  const auto first = read(kFull);
  ASSERT_TRUE(first.ok());
  const std::string printed = print_config(make_schema(), *first);
  const auto second = read(printed);
  ASSERT_TRUE(second.ok()) << printed << format(second.error());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(print_config(make_schema(), *second), printed);
}

TEST(Schema, one_key_may_be_a_table_in_one_file_and_tables_in_another) {
  const auto result = parse(make_schema(), {{"a", "[server]\nlisten = [\"::1\"]\n"},
                                            {"b", "[[server]]\nname = \"x\"\n"}});
  ASSERT_TRUE(result.ok()) << format(result.error());
  EXPECT_EQ(result->sources.items.size(), 1u);
  EXPECT_EQ(result->server->listen.size(), 1u);
}

TEST(Schema, later_files_replace_values_and_add_tables) {
  const auto result = parse(make_schema(), {{"a", "ratio = 0.1\n[[server]]\nname = \"x\"\n"},
                                            {"b", "ratio = 0.2\n[[server]]\nname = \"y\"\n"}});
  ASSERT_TRUE(result.ok()) << format(result.error());
  EXPECT_EQ(result->ratio, 0.2);
  EXPECT_EQ(result->sources.items.size(), 2u);
}

TEST(Schema, an_unknown_key_names_the_nearest_one_and_all_problems_are_listed) {
  EXPECT_EQ(
      problems_of("intervall = \"3s\"\nratio = 2\nverbose = \"yes\"\n[server]\n"
                  "listen = [\"127.0.0.1:0\"]\nthread = 1\nthreads = 65\n"),
      "t.toml:1:1: unknown key \"intervall\"; did you mean \"interval\"?\n"
      "t.toml:2:9: ratio: 2 is out of range, 0 to 1\n"
      "t.toml:3:11: verbose: expected true or false, found a string\n"
      "t.toml:5:10: [server] listen: item 1: endpoint \"127.0.0.1:0\": the port is 1 to 65535\n"
      "t.toml:6:1: unknown key \"thread\" in [server]; did you mean \"threads\"?\n"
      "t.toml:7:11: [server] threads: 65 is out of range, 0 to 64");
}

TEST(Schema, says_what_was_expected_where) {
  EXPECT_EQ(
      problems_of("zzzzzz = 1\n[server]\nqqqqqq = 1\n"),
      "t.toml:1:1: unknown key \"zzzzzz\"; known here: mode, socket, interval, ratio, verbose, "
      "buffer, allow, source, server, sources\n"
      "t.toml:3:1: unknown key \"qqqqqq\" in [server]; known here: threads, listen, offset");
  EXPECT_EQ(problems_of("mode = \"stear\""),
            "t.toml:1:8: mode: \"stear\" is not one of \"observe\", \"steer\"");
  EXPECT_EQ(problems_of("interval = 30"),
            "t.toml:1:12: interval: expected a duration like \"30s\", found an integer");
  EXPECT_EQ(problems_of("interval = \"0s\""),
            "t.toml:1:12: interval: 0s is out of range, 1s to 1h");
  EXPECT_EQ(
      problems_of("interval = \"30\""),
      "t.toml:1:12: interval: duration \"30\": expected a unit: w d h m s ms us ns (write for "
      "example 30s, 1h30m, 2.5s, 400ms)");
  EXPECT_EQ(problems_of("server = 3"),
            "t.toml:1:10: server: expected a table [server], found an integer");
  EXPECT_EQ(problems_of("buffer = \"8 MB\""),
            "t.toml:1:10: buffer: write a number of bytes like 65536, \"64KiB\", \"8MiB\" or "
            "\"1GiB\"");
  EXPECT_EQ(problems_of("socket = \"\""), "t.toml:1:10: socket: an empty path");
}

TEST(Schema, port_0_is_taken_only_where_it_is_allowed) {
  Value value;
  value.text = "127.0.0.1:0";
  Endpoint out;
  EXPECT_NE(endpoint(123).read(value, out), "");
  EXPECT_EQ(endpoint(123, true).read(value, out), "");
  EXPECT_EQ(out.port, 0);
  EXPECT_EQ(format(out.address), "127.0.0.1");
  value.text = "[::1]:0";
  EXPECT_EQ(endpoint(123, true).read(value, out), "");
  EXPECT_EQ(format(out.address), "::1");
  value.text = "1234::0";
  EXPECT_EQ(endpoint(123, true).read(value, out), "");
  EXPECT_EQ(out.port, 123);
}

TEST(Schema, checks_items_of_arrays_of_tables_at_their_place) {
  EXPECT_EQ(problems_of("[[server]]\nweight = 3\n\n[[server]]\nname = \"bad\"\n"),
            "t.toml:1:1: [server] name: missing; it needs a string\n"
            "t.toml:4:1: [server]: a bad item needs weight = 0");
  EXPECT_EQ(problems_of("[[server]]\nname = \"a\"\n[[server]]\nname = \"b\"\n[[server]]\nname = "
                        "\"c\"\n[[server]]\nname = \"d\"\n"),
            "t.toml:7:1: [[server]]: more than 3 tables");
  EXPECT_EQ(problems_of("[sources]\nserver = [1]\n"),
            "t.toml:2:11: [[sources.server]]: expected a table, found an integer");
}

TEST(Schema, checks_what_must_hold_between_settings_of_all_files) {
  EXPECT_EQ(problems_of("[server]\nthreads = 2\n"), "t.toml: [server]: no address");
  const auto result = parse(
      make_schema(), {{"a", "[server]\nthreads = 2\n"}, {"b", "[server]\nlisten = [\"::1\"]\n"}});
  EXPECT_TRUE(result.ok());
}

TEST(Schema, a_syntax_error_has_a_place) {
  const std::string text = problems_of("ratio = 0.1\nverbose = maybe\n");
  EXPECT_TRUE(text.starts_with("t.toml:2:1")) << text;
  const std::string both = problems_of("[server]\nlisten = [\"::1\"]\n[[server]]\nname = \"x\"\n");
  EXPECT_NE(both.find("[[sources.server]]"), std::string::npos) << both;
}

TEST(Schema, any_nesting_and_size_of_input_is_only_an_error) {
  std::string deep = "mode = ";
  for (int i = 0; i < 5000; ++i) deep += '[';
  EXPECT_NE(problems_of(deep), "ok");
  EXPECT_NE(problems_of(std::string(100'000, 'a') + " = 1"), "ok");
  EXPECT_NE(problems_of("mode = \"\xff\xfe\""), "ok");
}

TEST(Schema, the_reference_has_every_setting_with_type_and_default) {
  const std::string page = reference(make_schema());
  EXPECT_NE(page.find("*interval* = a duration, \"1s\" to \"1h\" (default `\"30s\"`)::\nInterval."),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("=== [server]\n\nServes."), std::string::npos);
  EXPECT_NE(page.find("=== \\[[sources.server]]"), std::string::npos);
  EXPECT_NE(page.find("*name* = a string (required)"), std::string::npos);
  EXPECT_NE(page.find("The same as \\[[sources.server]]."), std::string::npos);
}

TEST(Schema, loads_drop_ins_beside_the_file_in_order) {
  const sys::TemporaryDirectory temporary;
  const std::string& directory = temporary.path();
  ASSERT_TRUE(sys::make_directories(directory + "/x.d").ok());
  ASSERT_TRUE(sys::write_file_atomic(directory + "/x.toml", "ratio = 0.1\n").ok());
  ASSERT_TRUE(sys::write_file_atomic(directory + "/x.d/20.toml", "ratio = 0.3\n").ok());
  ASSERT_TRUE(sys::write_file_atomic(directory + "/x.d/10.toml", "ratio = 0.2\n").ok());
  ASSERT_TRUE(sys::write_file_atomic(directory + "/x.d/note.txt", "nonsense").ok());
  const auto result = load(make_schema(), directory + "/x.toml");
  ASSERT_TRUE(result.ok()) << format(result.error());
  EXPECT_EQ(result->ratio, 0.3);
  const auto missing = load(make_schema(), directory + "/none.toml");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(format(missing.error()).find("none.toml: No such file"), std::string::npos)
      << format(missing.error());
}

}  // namespace
}  // namespace timepool::config
