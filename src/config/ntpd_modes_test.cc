#include "config/ntpd_modes.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

constexpr const char* kKeys = "[keys]\nfile = \"/etc/timepool/ntpd.keys\"\n";

// What is wrong with it; empty when it is read.
std::string fault_of(const std::string& text) {
  const auto read = parse(ntpd_schema(), {{"ntpd.toml", text}});
  return read.ok() ? "" : format(read.error());
}

TEST(NtpdModesConfig, a_peer_is_read_with_its_settings) {
  const auto read =
      parse(ntpd_schema(),
            {{"ntpd.toml", std::string(kKeys) + "[[peer]]\naddress = \"192.0.2.7\"\nkey = 10\n"
                                                "minpoll = 4\nmaxpoll = 5\nprefer = true\n"}});
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->peers.size(), 1u);
  EXPECT_EQ(read->peers[0].address, "192.0.2.7");
  EXPECT_EQ(read->peers[0].key, 10u);
  EXPECT_EQ(read->peers[0].minpoll, 4);
  EXPECT_TRUE(read->peers[0].prefer);
}

TEST(NtpdModesConfig, B34_a_peer_without_a_key_is_an_error_that_says_why) {
  const std::string fault = fault_of(std::string(kKeys) + "[[peer]]\naddress = \"192.0.2.7\"\n");
  EXPECT_NE(fault.find("key is missing"), std::string::npos) << fault;
  EXPECT_NE(fault.find("RFC 8633 5.6"), std::string::npos) << fault;
}

TEST(NtpdModesConfig, B34_two_peers_may_not_have_one_key) {
  const std::string fault = fault_of(std::string(kKeys) +
                                     "[[peer]]\naddress = \"192.0.2.7\"\nkey = 10\n"
                                     "[[peer]]\naddress = \"192.0.2.8\"\nkey = 10\n");
  EXPECT_NE(fault.find("two [[peer]] have key 10"), std::string::npos) << fault;
}

TEST(NtpdModesConfig, B34_a_peer_needs_a_file_of_keys) {
  const std::string fault = fault_of("[[peer]]\naddress = \"192.0.2.7\"\nkey = 10\n");
  EXPECT_NE(fault.find("[keys] names no file"), std::string::npos) << fault;
}

constexpr const char* kBroadcast =
    "[server]\n[[broadcast]]\naddress = \"192.0.2.255\"\ninterface = \"eth0\"\nkey = 5\n";

TEST(NtpdModesConfig, broadcasts_are_read_with_their_settings) {
  const auto read =
      parse(ntpd_schema(), {{"ntpd.toml", std::string(kKeys) + kBroadcast + "interval = 4\n"}});
  ASSERT_TRUE(read.ok()) << format(read.error());
  ASSERT_EQ(read->broadcasts.size(), 1u);
  EXPECT_EQ(read->broadcasts[0].interface, "eth0");
  EXPECT_EQ(read->broadcasts[0].interval, 4);
}

TEST(NtpdModesConfig, B33_broadcasts_need_a_key_an_interface_and_a_server) {
  const std::string no_key =
      fault_of("[server]\n[[broadcast]]\naddress = \"192.0.2.255\"\ninterface = \"eth0\"\n");
  EXPECT_NE(no_key.find("key is missing"), std::string::npos) << no_key;
  EXPECT_NE(no_key.find("RFC 8633 5.5"), std::string::npos) << no_key;
  const std::string no_interface = fault_of(
      std::string(kKeys) + "[server]\n[[broadcast]]\naddress = \"192.0.2.255\"\nkey = 5\n");
  EXPECT_NE(no_interface.find("interface is missing"), std::string::npos) << no_interface;
  const std::string no_server =
      fault_of(std::string(kKeys) + std::string(kBroadcast).substr(sizeof "[server]"));
  EXPECT_NE(no_server.find("[server]"), std::string::npos) << no_server;
  const std::string no_file = fault_of(kBroadcast);
  EXPECT_NE(no_file.find("[keys] names no file"), std::string::npos) << no_file;
}

// A table of which `without` is left out.
std::string listening(const std::string& without, const std::string& more = "") {
  std::string out = std::string(kKeys) + "[[broadcast_client]]\n";
  for (const char* line : {"interface = \"eth0\"\n", "key = 5\n", "from = [\"192.0.2.0/24\"]\n"}) {
    if (without.empty() || !std::string(line).starts_with(without)) out += line;
  }
  return out + more;
}

TEST(NtpdModesConfig, listening_for_broadcasts_is_read_with_its_settings) {
  const auto read = parse(ntpd_schema(), {{"ntpd.toml", listening("", "max_servers = 2\n")}});
  ASSERT_TRUE(read.ok()) << format(read.error());
  ASSERT_EQ(read->broadcast_clients.size(), 1u);
  const NtpBroadcastClientConfig& it = read->broadcast_clients[0];
  EXPECT_EQ(it.interface, "eth0");
  EXPECT_EQ(it.from, std::vector<Prefix>{parse_prefix("192.0.2.0/24").value()});
  EXPECT_EQ(it.max_servers, 2);
  EXPECT_EQ(it.delay, Duration()) << "measured";
  EXPECT_EQ(name_of(it), "broadcast%eth0");
}

TEST(NtpdModesConfig, B33_listening_needs_a_key_an_interface_and_whom) {
  for (const char* setting : {"key", "interface", "from"}) {
    const std::string fault = fault_of(listening(setting));
    EXPECT_NE(fault.find(std::string(setting) + " is missing"), std::string::npos) << fault;
    EXPECT_NE(fault.find("RFC 8633 5.5"), std::string::npos) << fault;
  }
  std::string no_file = listening("");
  no_file.erase(0, std::string(kKeys).size());
  EXPECT_NE(fault_of(no_file).find("[keys] names no file"), std::string::npos);
}

TEST(NtpdModesConfig, B33_nobody_listens_to_everybody) {
  for (const char* all : {"0.0.0.0/0", "::/0"}) {
    const std::string fault =
        fault_of(listening("from", std::string("from = [\"192.0.2.0/24\", \"") + all + "\"]\n"));
    EXPECT_NE(fault.find("from allows everybody"), std::string::npos) << fault;
  }
}

TEST(NtpdModesConfig, a_group_is_multicast_and_of_the_family_of_its_servers) {
  EXPECT_EQ(fault_of(listening("", "group = \"224.0.1.1\"\n")), "");
  EXPECT_EQ(fault_of(listening("from", "group = \"ff02::101\"\nfrom = [\"fe80::/10\"]\n")), "");
  EXPECT_NE(fault_of(listening("", "group = \"192.0.2.255\"\n")).find("no multicast address"),
            std::string::npos);
  EXPECT_NE(fault_of(listening("", "group = \"ff02::101\"\n")).find("another family"),
            std::string::npos);
  EXPECT_NE(fault_of(listening("from", "from = [\"fe80::/10\"]\n")).find("name a group"),
            std::string::npos);
}

TEST(NtpdModesConfig, two_may_not_listen_for_the_same) {
  const std::string again = listening("").substr(std::string(kKeys).size());
  EXPECT_NE(
      fault_of(listening("", again)).find("two [[broadcast_client]] listen for broadcast%eth0"),
      std::string::npos);
  EXPECT_EQ(fault_of(listening("", again + "group = \"224.0.1.1\"\n")), "");
}

}  // namespace
}  // namespace timepool::config
