#include <gtest/gtest.h>

#include "cli/args.h"
#include "cli/host_port.h"
#include "cli/print.h"

namespace timepool::cli {
namespace {

TEST(HostPort, reads_what_people_write) {
  struct Case {
    const char* text;
    const char* host;
    int port;
  };
  for (const Case& c : {Case{"time.example", "time.example", 123},
                        {"time.example:1123", "time.example", 1123},
                        {"192.0.2.1", "192.0.2.1", 123},
                        {"192.0.2.1:9", "192.0.2.1", 9},
                        {"2001:db8::1", "2001:db8::1", 123},
                        {"[2001:db8::1]:9", "2001:db8::1", 9},
                        {"[2001:db8::1]", "2001:db8::1", 123}}) {
    const auto got = parse_host_port(c.text, 123);
    ASSERT_TRUE(got.ok()) << c.text;
    EXPECT_EQ(got->host, c.host);
    EXPECT_EQ(got->port, c.port);
  }
  for (const char* text : {"", ":1", "a:", "a:0", "a:65536", "a:1x", "[::1", "a:b:c"}) {
    EXPECT_FALSE(parse_host_port(text, 123).ok()) << text;
  }
}

TEST(Print, spans_have_three_digits_and_the_unit_that_fits) {
  EXPECT_EQ(seconds_text(0, false), "0ns");
  EXPECT_EQ(seconds_text(12.3e-6, true), "+12.3us");
  EXPECT_EQ(seconds_text(-0.4, true), "-400ms");
  EXPECT_EQ(seconds_text(0.00123, false), "1.23ms");
  EXPECT_EQ(seconds_text(1.5, true), "+1.50s");
  EXPECT_EQ(seconds_text(0.9999e-3, false), "1.00ms");
  EXPECT_EQ(seconds_text(3600, false), "3600s");
}

TEST(Print, tables_line_up) {
  Table table({"name", "count"});
  table.row({"a", "1"});
  table.row({"longer", "100"});
  EXPECT_EQ(table.text(), "name    count\na           1\nlonger    100");
}

int run(Program& program, std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "test");
  return program.run(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Args, values_reach_the_action_of_the_chosen_command) {
  Program program("test", "a test", "1");
  int count = 1;
  Duration span = Duration::seconds(3);
  std::optional<Endpoint> where;
  std::string name;
  std::string ran;
  Command root = program.root();
  Command one = root.command("one", "first");
  one.option("--count", count, 1, 10, "count")
      .option("--span", span, "span")
      .option("--where", where, 53, "where")
      .positional("name", name, "name");
  one.action([&] {
    ran = "one";
    return 7;
  });
  root.command("two", "second").action([&] {
    ran = "two";
    return 0;
  });
  EXPECT_EQ(run(program, {"one", "x", "--count", "5", "--span", "1.5", "--where", "::1"}), 7);
  EXPECT_EQ(ran, "one");
  EXPECT_EQ(name, "x");
  EXPECT_EQ(count, 5);
  EXPECT_EQ(span, Duration::milliseconds(1500));
  EXPECT_EQ(format(where.value()), "[::1]:53");
  EXPECT_EQ(run(program, {"one", "x", "--where", "127.0.0.1:0"}), 7);
  EXPECT_EQ(where.value(), (Endpoint{IpAddress::v4(0x7f000001), 0}));
}

TEST(Args, a_wrong_command_line_is_status_2) {
  Program program("test", "a test", "1");
  int count = 1;
  Duration span;
  Command root = program.root();
  Command one = root.command("one", "first");
  one.option("--count", count, 1, 10, "count").option("--span", span, "span");
  one.action([] { return 0; });
  EXPECT_EQ(run(program, {"one", "--count", "11"}), 2);
  EXPECT_EQ(run(program, {"one", "--span", "3 parsecs"}), 2);
  EXPECT_EQ(run(program, {"one", "--nonsense"}), 2);
  EXPECT_EQ(run(program, {"three"}), 2);
  EXPECT_EQ(run(program, {}), 2);
}

}  // namespace
}  // namespace timepool::cli
