#include "net/http_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "net/curl_library.h"

namespace timepool::net {
namespace {

constexpr long kMaxRedirects = 5;
// How long one wait for the network may last before the time and cancel() are looked at again;
// cancel() itself wakes the wait.
constexpr int kPollMilliseconds = 1000;

// What arrives for one request, with its limits.
struct Arriving {
  HttpResponse response;
  std::size_t max_body = 0;
  std::size_t max_headers = 0;
  std::size_t header_bytes = 0;
  const char* exceeded = nullptr;  // which limit ended the transfer
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& arriving = *static_cast<Arriving*>(context);
  const std::size_t length = size * count;
  if (length > arriving.max_body - arriving.response.body.size()) {
    arriving.exceeded = "the answer's body is longer than allowed";
    return 0;
  }
  arriving.response.body.append(data, length);
  return length;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* context) {
  auto& arriving = *static_cast<Arriving*>(context);
  const std::string_view line(data, size * count);
  arriving.header_bytes += line.size();
  if (arriving.header_bytes > arriving.max_headers) {
    arriving.exceeded = "the answer's header is longer than allowed";
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    // A new response begins: after 100 Continue or a redirect the fields before don't count.
    arriving.response.headers = HttpFields();
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    arriving.response.headers.add(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return line.size();
}

struct ListDeleter {
  const CurlLibrary* library = nullptr;
  void operator()(curl_slist* list) const { library->slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return ErrorCode::kInvalid;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return ErrorCode::kDenied;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FILESIZE_EXCEEDED:
      return ErrorCode::kExhausted;
    default:
      return ErrorCode::kUnavailable;
  }
}

long milliseconds(Duration duration) {
  constexpr std::int64_t kDay = 86'400'000;
  return static_cast<long>(std::clamp<std::int64_t>(duration.ns() / 1'000'000, 1, kDay));
}

// `context`: how long octets may be unacknowledged, an unsigned of milliseconds. Sockets of another
// kind than TCP have no such option and need none.
int on_socket(void* context, curl_socket_t socket, curlsocktype) {
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, context, sizeof(unsigned)));
  return CURL_SOCKOPT_OK;
}

HeaderList header_list(const CurlLibrary& library, const HttpFetch& fetch) {
  HeaderList list(nullptr, ListDeleter{&library});
  const auto append = [&](const std::string& line) {
    curl_slist* longer = library.slist_append(list.get(), line.c_str());
    if (longer == nullptr) return;
    static_cast<void>(list.release());
    list.reset(longer);
  };
  for (const HttpFields::Field& field : fetch.headers.all()) {
    // libcurl's way to send a field without a value is a semicolon.
    append(field.value.empty() ? field.name + ";" : field.name + ": " + field.value);
  }
  if (!fetch.body.empty() && fetch.headers.find("Content-Type") == nullptr) {
    append("Content-Type: application/json");
  }
  append("Expect:");
  return list;
}

bool has_line_break(const HttpFetch& fetch) {
  const auto broken = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
  };
  return broken(fetch.url) || broken(fetch.method) ||
         std::any_of(fetch.headers.all().begin(), fetch.headers.all().end(),
                     [&](const auto& field) { return broken(field.name) || broken(field.value); });
}

}  // namespace

class HttpClient::Impl {
 public:
  Impl() {
    const auto loaded = curl_library();
    if (!loaded.ok()) {
      missing_ = loaded.error();
      return;
    }
    curl_ = *loaded;
    multi_ = curl_->multi_init();
    easy_ = curl_->easy_init();
    CHECK(multi_ != nullptr && easy_ != nullptr);
  }
  ~Impl() {
    if (curl_ == nullptr) return;
    curl_->easy_cleanup(easy_);
    curl_->multi_cleanup(multi_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<HttpResponse> fetch(const HttpFetch& fetch) {
    if (missing_) return fail(*missing_);
    const std::string operation = fetch.method + " " + fetch.url;
    if (has_line_break(fetch)) {
      return fail(Error{ErrorCode::kInvalid, "HTTP request",
                        "the URL, method or a header field holds a line break"});
    }
    Arriving arriving;
    arriving.max_body = fetch.max_body;
    arriving.max_headers = fetch.max_headers;
    const HeaderList headers = header_list(*curl_, fetch);
    configure(fetch, arriving, headers.get());
    curl_->multi_add_handle(multi_, easy_);
    const CURLcode code = perform();
    curl_->multi_remove_handle(multi_, easy_);
    if (cancelled()) return fail(Error{ErrorCode::kUnavailable, operation, "cancelled"});
    if (arriving.exceeded != nullptr) {
      return fail(Error{ErrorCode::kExhausted, operation, arriving.exceeded});
    }
    if (code != CURLE_OK) {
      const char* detail = detail_[0] != '\0' ? detail_.data() : curl_->easy_strerror(code);
      return fail(Error{code_of(code), operation, detail});
    }
    long status = 0;
    curl_->easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    arriving.response.status = static_cast<int>(status);
    arriving.response.content_type = arriving.response.headers.value("Content-Type");
    return std::move(arriving.response);
  }

  void cancel() {
    cancelled_.store(true, std::memory_order_release);
    if (curl_ != nullptr) curl_->multi_wakeup(multi_);
  }
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_->easy_setopt(easy_, option, value);
  }

  void configure(const HttpFetch& fetch, Arriving& arriving, curl_slist* headers) {
    curl_->easy_reset(easy_);
    detail_.fill('\0');
    set(CURLOPT_ERRORBUFFER, detail_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_URL, fetch.url.c_str());
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_USERAGENT, "timepool");
    set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(fetch.connect_timeout));
    set(CURLOPT_TIMEOUT_MS, milliseconds(fetch.total_timeout));
    set(CURLOPT_MAXAGE_CONN, std::max(milliseconds(fetch.keep) / 1000, 1L));
    unacknowledged_ = static_cast<unsigned>(milliseconds(fetch.unacknowledged));
    set(CURLOPT_SOCKOPTFUNCTION, &on_socket);
    set(CURLOPT_SOCKOPTDATA, &unacknowledged_);
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, &arriving);
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, &arriving);
    set(CURLOPT_FOLLOWLOCATION, fetch.follow_redirects ? 1L : 0L);
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_MAXREDIRS, kMaxRedirects);
    // An empty proxy also keeps libcurl from looking at the environment.
    if (!fetch.proxy_from_environment) set(CURLOPT_PROXY, "");
    if (!fetch.unix_socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, fetch.unix_socket.c_str());
    if (!fetch.ca_file.empty()) set(CURLOPT_CAINFO, fetch.ca_file.c_str());
    configure_method(fetch);
  }

  void configure_method(const HttpFetch& fetch) {
    if (fetch.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
      return;
    }
    if (!fetch.body.empty() || fetch.method == "POST") {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(fetch.body.size()));
      set(CURLOPT_POSTFIELDS, fetch.body.c_str());
    }
    if (fetch.method != "GET" || !fetch.body.empty()) {
      set(CURLOPT_CUSTOMREQUEST, fetch.method.c_str());
    }
  }

  // Runs the transfer until it ends, its time is up (libcurl sees to that) or cancel().
  CURLcode perform() {
    int running = 1;
    while (!cancelled()) {
      if (curl_->multi_perform(multi_, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      int queued = 0;
      while (const CURLMsg* message = curl_->multi_info_read(multi_, &queued)) {
        if (message->msg == CURLMSG_DONE) return message->data.result;
      }
      if (running == 0) return CURLE_FAILED_INIT;
      curl_->multi_poll(multi_, nullptr, 0, kPollMilliseconds, nullptr);
    }
    return CURLE_ABORTED_BY_CALLBACK;
  }

  std::optional<Error> missing_;
  const CurlLibrary* curl_ = nullptr;
  CURLM* multi_ = nullptr;
  CURL* easy_ = nullptr;
  std::atomic<bool> cancelled_{false};
  unsigned unacknowledged_ = 0;  // milliseconds
  std::array<char, CURL_ERROR_SIZE> detail_{};
};

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {}
HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::fetch(const HttpFetch& fetch) {
  return impl_->fetch(fetch);
}
void HttpClient::cancel() {
  impl_->cancel();
}
bool HttpClient::cancelled() const {
  return impl_->cancelled();
}

Result<void> prepare_http_client() {
  TRY(curl_library());
  return {};
}

Result<HttpResponse> fetch(const HttpFetch& request) {
  HttpClient client;
  return client.fetch(request);
}

}  // namespace timepool::net
