#include "golden_file.h"

#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "base/hex.h"

namespace timepool::golden {
namespace {

constexpr const char* kUsualClient = "192.0.2.10:40000";
constexpr std::size_t kMaxRun = 65'535;
constexpr std::size_t kOctetsPerLine = 16;

template <typename T>
T number(std::string_view text) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::runtime_error("not a number: " + std::string(text));
  }
  return out;
}

Octets octets_of(const std::string& digits) {
  const auto bytes = from_hex(digits);
  if (!bytes.ok()) throw std::runtime_error("no hexadecimal digits: " + digits);
  return *bytes;
}

void append_octets(std::istringstream& words, Octets& out) {
  for (std::string word; words >> word;) {
    const std::size_t star = word.find('*');
    const Octets bytes = octets_of(word.substr(0, star));
    std::size_t times = 1;
    if (star != std::string::npos)
      times = number<std::size_t>(std::string_view(word).substr(star + 1));
    if (times > kMaxRun) throw std::runtime_error("too many octets: " + word);
    for (std::size_t i = 0; i < times; ++i) out.insert(out.end(), bytes.begin(), bytes.end());
  }
}

class Parser {
 public:
  void take(const std::string& line, std::size_t index) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word)) {
      open_ = false;
      return;
    }
    if (word[0] == '#') return;
    if (word == "case") {
      begin_case(words);
    } else if (word == "set") {
      set(words);
    } else if (word == ">" || word == "<" || word == "reason") {
      packet(word, words, index);
    } else if (word == "from" || word == "at") {
      rest(words, word == "from" ? from_ : at_);
      open_ = false;
    } else {
      throw std::runtime_error("what is this: " + word);
    }
  }
  std::vector<Case> cases;

 private:
  static void rest(std::istringstream& words, std::string& out) {
    if (!(words >> out)) throw std::runtime_error("the line ends too early");
  }

  void begin_case(std::istringstream& words) {
    Case next;
    rest(words, next.name);
    next.settings = settings_;
    cases.push_back(std::move(next));
    from_ = kUsualClient;
    at_ = "0";
    open_ = false;
  }

  void set(std::istringstream& words) {
    std::string name;
    std::string value;
    rest(words, name);
    rest(words, value);
    (cases.empty() ? settings_ : cases.back().settings)[name] = value;
  }

  Exchange& exchange() {
    if (cases.empty() || cases.back().exchanges.empty()) {
      throw std::runtime_error("no request before it");
    }
    return cases.back().exchanges.back();
  }

  void packet(const std::string& word, std::istringstream& words, std::size_t index) {
    if (word == ">") {
      if (!open_) begin_exchange();
      append_octets(words, exchange().request);
      exchange().request_end = index + 1;
    } else {
      open_ = false;
      if (word == "reason") rest(words, exchange().reason);
      if (word == "<") append_octets(words, exchange().reply);
    }
    exchange().end = index + 1;
  }

  void begin_exchange() {
    if (cases.empty()) throw std::runtime_error("a request outside of a case");
    Exchange next;
    const auto from = parse_endpoint(from_);
    // "192.0.2.10:0" is what some cases are about, and no endpoint that people write.
    const bool zero = from_.ends_with(":0");
    if (!from.ok() && !zero) throw std::runtime_error("no address and port: " + from_);
    next.from = zero ? parse_endpoint(from_ + "1").value() : *from;
    if (zero) next.from.port = 0;
    const auto milliseconds = static_cast<std::int64_t>(number<double>(at_) * 1000 + 0.5);
    next.at = Duration::milliseconds(milliseconds);
    cases.back().exchanges.push_back(std::move(next));
    open_ = true;
  }

  std::map<std::string, std::string> settings_;
  std::string from_ = kUsualClient;
  std::string at_ = "0";
  bool open_ = false;  // the lines that follow may go on with the request
};

}  // namespace

File read_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  File out;
  Parser parser;
  for (std::string line; std::getline(in, line);) {
    try {
      parser.take(line, out.lines.size());
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(path + ":" + std::to_string(out.lines.size() + 1) + ": " +
                               error.what());
    }
    out.lines.push_back(line);
  }
  out.cases = std::move(parser.cases);
  return out;
}

std::string expectation(std::string_view reason, const Octets& reply) {
  std::string out = "reason " + std::string(reason) + "\n";
  for (std::size_t i = 0; i < reply.size(); i += 4) {
    if (i % kOctetsPerLine == 0) out += '<';
    out += ' ' + to_hex(Bytes(reply).subspan(i, std::min<std::size_t>(4, reply.size() - i)));
    if ((i + 4) % kOctetsPerLine == 0 || i + 4 >= reply.size()) out += '\n';
  }
  return out;
}

std::string rewritten(const File& file, const std::vector<std::string>& expectations) {
  std::string out;
  std::size_t line = 0;
  std::size_t index = 0;
  const auto copy_to = [&](std::size_t end) {
    for (; line < end; ++line) out += file.lines[line] + "\n";
  };
  for (const Case& it : file.cases) {
    for (const Exchange& exchange : it.exchanges) {
      copy_to(exchange.request_end);
      out += expectations.at(index++);
      line = exchange.end;
    }
  }
  copy_to(file.lines.size());
  return out;
}

}  // namespace timepool::golden
