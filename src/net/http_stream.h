// HttpStream: the byte stream below one HTTP connection, so that the session does not know whether
// it is TCP, a Unix socket or TLS. Used on the server's I/O thread only.
//
// Coroutine parameters are scalars and views: g++ 12 destroys aggregate temporaries in arguments of
// co_await twice.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

namespace timepool::net {

class HttpStream {
 public:
  virtual ~HttpStream() = default;
  // Bytes read; 0 at the end of the stream, on an error and after cancel().
  virtual boost::asio::awaitable<std::size_t> read_some(char* data, std::size_t size) = 0;
  // Both parts, in order; false when they could not be written whole.
  virtual boost::asio::awaitable<bool> write(std::string_view first, std::string_view second) = 0;
  // Calls `closed` once when the peer closes, unless cancel() or data comes first.
  virtual void watch_close(std::function<void()> closed) = 0;
  // Ends the operation under way.
  virtual void cancel() = 0;
  virtual void shut_down_write() = 0;
  virtual void close() = 0;
};

template <class Socket>
class SocketStream final : public HttpStream {
 public:
  explicit SocketStream(Socket socket) : socket_(std::make_shared<Socket>(std::move(socket))) {}

  boost::asio::awaitable<std::size_t> read_some(char* data, std::size_t size) override {
    boost::system::error_code error;
    const std::size_t count = co_await socket_->async_read_some(
        boost::asio::buffer(data, size),
        boost::asio::redirect_error(boost::asio::use_awaitable, error));
    co_return error ? 0 : count;
  }

  boost::asio::awaitable<bool> write(std::string_view first, std::string_view second) override {
    boost::system::error_code error;
    const std::array<boost::asio::const_buffer, 2> parts = buffers(first, second);
    co_await boost::asio::async_write(
        *socket_, parts, boost::asio::redirect_error(boost::asio::use_awaitable, error));
    co_return !error;
  }

  void watch_close(std::function<void()> closed) override {
    std::weak_ptr<Socket> weak = socket_;
    socket_->async_wait(boost::asio::socket_base::wait_read,
                        [weak, closed = std::move(closed)](boost::system::error_code error) {
                          const std::shared_ptr<Socket> socket = weak.lock();
                          if (error || !socket) return;
                          char byte = 0;
                          boost::system::error_code status;
                          socket->non_blocking(true, status);
                          socket->receive(boost::asio::buffer(&byte, 1),
                                          boost::asio::socket_base::message_peek, status);
                          if (status && status != boost::asio::error::would_block) closed();
                        });
  }

  void cancel() override {
    boost::system::error_code ignored;
    socket_->cancel(ignored);
  }
  void shut_down_write() override {
    boost::system::error_code ignored;
    socket_->shutdown(boost::asio::socket_base::shutdown_send, ignored);
  }
  void close() override {
    boost::system::error_code ignored;
    socket_->close(ignored);
  }

 private:
  static std::array<boost::asio::const_buffer, 2> buffers(std::string_view a, std::string_view b) {
    return {boost::asio::buffer(a.data(), a.size()), boost::asio::buffer(b.data(), b.size())};
  }
  std::shared_ptr<Socket> socket_;
};

}  // namespace timepool::net
