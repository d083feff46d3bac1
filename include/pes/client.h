/*
 * Asking: a context, a request, an answer.
 *
 * An application that is about to trust some content describes it in a request and asks. It always
 * gets an answer, and the answer always holds an action that the application said it can do. No
 * provider is ever loaded into the application; libpes itself needs nothing but libc, starts no
 * thread, keeps no global, installs no handler and writes nothing anywhere.
 *
 * Threads: one call at a time per context, requests and answers included; different contexts are
 * independent. After fork() a child may go on with a context: it gets a connection of its own,
 * requests started before are answered with PES_E_BROKER_LOST there. A child that closes
 * descriptors wholesale (closefrom(3)) must not touch its contexts after that, not even to close
 * them: their descriptors may be somebody else's by then.
 *
 * Which broker: that of PES_RUNTIME_DIR in the environment, else the system's (/run/pes), else the
 * user's ($XDG_RUNTIME_DIR/pes). It is believed if it runs as root, as the process's own effective
 * user, or as the `broker-uid` of the client policy (/etc/pes/client.conf; PES_CLIENT_POLICY names
 * another one). In a user namespace, root outside of it shows as the overflow user: that one is
 * believed only if the socket file shows so, too, and stands in a folder that this process cannot
 * write to. A policy that says `locked = yes` makes both variables void, as set-user-id does. One
 * that cannot be used makes nothing milder: a folder that cannot be counts as a service that is
 * down, a policy that is not there as a broken one beside the system's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <pes/enums.h>
#include <pes/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pes_ctx;
struct pes_request;
struct pes_answer;

/**
 * pes_open() - make a context
 * @app_name:    what the application calls itself, at most 64 bytes
 * @app_version: its version, at most 64 bytes
 * @can:         pes_can_flags: what it can do besides going ahead
 *
 * Does not connect yet: the first question does, and later ones do again when the broker was
 * restarted. Flags that this version doesn't know are ignored: it will not ask for such a thing.
 *
 * Return: a context, or NULL without memory or descriptors. Every function takes a NULL context,
 * and pes_ask() still answers.
 * Ownership: the caller frees it with pes_close().
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC struct pes_ctx *pes_open(const char *app_name, const char *app_version, uint32_t can);

/**
 * pes_open_fd() - make a context on a connection that is open already
 * @fd:          connected SOCK_SEQPACKET socket of the broker, as from pes_connect()
 * @app_name:    what the application calls itself, at most 64 bytes
 * @app_version: its version, at most 64 bytes
 * @can:         pes_can_flags: what it can do besides going ahead
 *
 * For programs that give up the right to connect before they ask. To be called soon after
 * connecting: brokers close connections that say nothing for two seconds, or ask nothing for ten
 * minutes. Such a context never reconnects, not in a forked child either: when the connection is
 * lost, answers come from the client policy as it was read here.
 *
 * Return: a context, or NULL without memory (@fd is closed then, too).
 * Ownership: @fd becomes the context's.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC struct pes_ctx *pes_open_fd(int fd, const char *app_name, const char *app_version,
                                       uint32_t can);

/**
 * pes_connect() - connect to the broker, for pes_open_fd()
 *
 * Return: a close-on-exec socket, or a negative PES_E_* (PES_E_NO_BROKER, PES_E_PERMISSION when the
 * peer is not a broker that the client policy trusts).
 * Ownership: the socket is the caller's.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC int pes_connect(void);

/**
 * pes_close() - end a context
 * @ctx: context or NULL
 *
 * Requests of the context must have been freed; answers may outlive it.
 *
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC void pes_close(struct pes_ctx *ctx);

/**
 * pes_request_new() - begin a request
 * @ctx:  context or NULL
 * @kind: enum pes_kind: what is scanned; decides which providers are asked
 *
 * Return: a request, or NULL without memory or context. Every function takes a NULL request.
 * Ownership: pes_ask() frees it; otherwise the caller does with pes_request_free().
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC struct pes_request *pes_request_new(struct pes_ctx *ctx, uint32_t kind);

/**
 * pes_request_free() - drop a request; cancels it if it is under way
 * @request: request or NULL
 *
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC void pes_request_free(struct pes_request *request);

/**
 * pes_request_bytes() - put bytes into a request
 * @request: request without content yet
 * @bytes:   content, may be NULL if @n_bytes is 0
 * @n_bytes: its length; zero bytes are content, too
 *
 * Copies the bytes: inline up to 32 KiB, else into memory that the broker lends and nobody can
 * change later. That takes a round trip, for which it waits a quarter of a second at most, and
 * never longer than the request's timeout; the wait counts as part of that. What the broker has not
 * lent by then is kept here and goes there while the answer is waited for: what the broker has
 * against it is then told by the answer, in the same words.
 *
 * More than 16 MiB is not kept: it is waited for as long as the timeout that is set by now, so set
 * it first. When no broker can be had, nothing is kept and this succeeds: the answer will say that
 * nobody could look, and why.
 *
 * Return: 0, or a negative PES_E_*:
 *   PES_E_INVALID_ARGUMENT  there is content already
 *   PES_E_TOO_LARGE         larger than the broker accepts; @request still has no content and
 *                           may be asked as it is: the answer then has coverage too_large
 *   PES_E_QUOTA             the caller's user holds too much already; retry after an answer
 *   PES_E_NO_MEMORY         out of memory, here or at the broker's
 * Ownership: @bytes stays the caller's.
 * Threads: as the context.
 * Spec: protocol/SPEC.md 4.2 (RESERVE)
 * Since: 0.1
 */
PES_PUBLIC int pes_request_bytes(struct pes_request *request, const void *bytes, size_t n_bytes);

/**
 * pes_request_file() - put a file's bytes into a request
 * @request: request without content yet
 * @fd:      readable regular file; stays here, only its bytes leave the process
 *
 * Copies bytes 0 .. st_size - 1, and otherwise does as pes_request_bytes().
 * pes_answer_take_content() later gives exactly the bytes that were scanned. A file that does not
 * state its size (below /proc) counts as one that changes.
 *
 * Return: 0, or a negative PES_E_*:
 *   PES_E_INVALID_ARGUMENT  not a regular file, or there is content already
 *   PES_E_TOO_LARGE         larger than the broker accepts; as in pes_request_bytes()
 *   PES_E_CHANGED           the file changed while it was read; try again
 *   PES_E_QUOTA             the caller's user holds too much already; retry after an answer
 *   PES_E_IO                reading failed; errno says why
 *   PES_E_NO_MEMORY         out of memory, here or at the broker's
 * Ownership: @fd stays the caller's.
 * Threads: as the context.
 * Spec: protocol/SPEC.md 4.2 (RESERVE)
 * Since: 0.1
 */
PES_PUBLIC int pes_request_file(struct pes_request *request, int fd);

/**
 * pes_request_stream() - let the content follow bit by bit
 * @request: request without content yet
 *
 * For content whose length is not known before its end. It is written with pes_stream_write() and
 * ended with pes_stream_end(). Set everything else about the request first: the first byte that is
 * written starts it.
 *
 * Providers are asked when all is there, but for those that can say something about a beginning
 * (takes_beginnings in struct pes_provider_info): what such a one finds there may be the answer
 * before the end, unless PES_SCAN_WANT_DETAILS is set. A stream that becomes larger than the broker
 * accepts has its answer (with coverage too_large) as soon as it does, and it can be taken back any
 * time. While the application has nothing to write, no time
 * counts: the request's timeout is how long each piece may take to be taken, and the answer after
 * the last one.
 *
 * Return: 0, or a negative PES_E_*:
 *   PES_E_INVALID_ARGUMENT  there is content already, or the request was started
 *   PES_E_NO_MEMORY         out of memory
 * Threads: as the context.
 * Spec: protocol/SPEC.md 4.7 (streams)
 * Since: 0.1
 */
PES_PUBLIC int pes_request_stream(struct pes_request *request);

/**
 * pes_stream_write() - add to the content of a stream
 * @request: request that pes_request_stream() was called for
 * @bytes:   what comes next, may be NULL if @n_bytes is 0
 * @n_bytes: its length
 *
 * Copies the bytes. Waits for the broker only when there are more than pes_stream_room(); without
 * broker there is an answer soon, and no more waiting. Starts the request if need be.
 *
 * Return: 0 when they were taken, 1 when there is an answer already and no more is needed (take it
 * with pes_take_answer() or pes_ask()), or a negative PES_E_*:
 *   PES_E_INVALID_ARGUMENT  not a stream, or one that was ended
 *   PES_E_NO_MEMORY         out of memory; not all was taken: cancel the request
 * Ownership: @bytes stays the caller's.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_stream_write(struct pes_request *request, const void *bytes, size_t n_bytes);

/**
 * pes_stream_room() - how much can be written without waiting
 * @request: request or NULL
 *
 * When there is none, poll pes_fd() and call pes_process().
 *
 * Return: number of bytes; 0 also for what is not a stream, was ended or has an answer.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC size_t pes_stream_room(const struct pes_request *request);

/**
 * pes_stream_end() - say that all of the content was written
 * @request: request that pes_request_stream() was called for
 *
 * Does not wait. pes_ask() does this, too. Whoever must not ask about half of something takes it
 * back with pes_cancel() instead.
 *
 * Return: 0, or -PES_E_INVALID_ARGUMENT when it is not a stream.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_stream_end(struct pes_request *request);

/**
 * pes_request_text() - set a text field of the context
 * @request: request
 * @field:   enum pes_field of type text
 * @text:    terminated text, at most 4096 bytes; any bytes
 *
 * A field that is set again is replaced; an empty text takes it out.
 *
 * Return: 0, or a negative PES_E_*: PES_E_INVALID_ARGUMENT (not a text field, or one that only the
 * broker sets), PES_E_TOO_LARGE (more than 4096 bytes, or more than 63 fields, or all texts
 * together over 24 KiB), PES_E_NO_MEMORY.
 * Ownership: @text is copied.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_request_text(struct pes_request *request, uint32_t field, const char *text);

/**
 * pes_request_text_n() - set a text field that may hold zero bytes
 * @request: request
 * @field:   enum pes_field of type text
 * @text:    bytes
 * @n_bytes: their number, at most 4096
 *
 * Return: as pes_request_text().
 * Ownership: @text is copied.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_request_text_n(struct pes_request *request, uint32_t field, const void *text,
                                  size_t n_bytes);

/**
 * pes_request_number() - set a number or enum field of the context
 * @request: request
 * @field:   enum pes_field of type number or enum
 * @value:   value
 *
 * Return: 0, or a negative PES_E_* as pes_request_text().
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_request_number(struct pes_request *request, uint32_t field, uint64_t value);

/**
 * pes_request_timeout_ms() - set how long the answer may take
 * @request:    request
 * @timeout_ms: time from pes_ask() or pes_start() on; 0: the default of 5000
 *
 * What pes_request_bytes() and pes_request_file() have waited for the broker is taken off it.
 *
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC void pes_request_timeout_ms(struct pes_request *request, uint32_t timeout_ms);

/**
 * pes_request_flags() - set how to answer
 * @request: request
 * @flags:   pes_scan_flags
 *
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC void pes_request_flags(struct pes_request *request, uint32_t flags);

/**
 * pes_request_latency() - say who waits
 * @request: request
 * @latency: enum pes_latency
 *
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC void pes_request_latency(struct pes_request *request, uint32_t latency);

/**
 * pes_request_fail_wish() - say what would be best if there is no full answer; policy decides
 * @request: request
 * @wish:    enum pes_fail_wish
 *
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC void pes_request_fail_wish(struct pes_request *request, uint32_t wish);

/**
 * pes_ask() - ask and wait for the answer
 * @request: request or NULL; gone afterwards
 *
 * Waits at most as long as the request's timeout and a quarter of a second. Without a broker the
 * answer comes from the client policy, which tells "not installed" from "installed but down". A
 * request that was started before is waited for.
 *
 * For NULL nobody knows what the application can do. The answer then has error PES_E_NO_MEMORY and
 * action PES_STOP where pes is installed, and is "not installed" with PES_GO where it is not: this
 * is the one answer whose action may not have been declared.
 *
 * Return: an answer, never NULL.
 * Ownership: @request is freed; the caller ends the answer with pes_answer_close().
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC struct pes_answer *pes_ask(struct pes_request *request);

/**
 * pes_start() - send a request without waiting
 * @request: request
 *
 * Any number may be under way; as many as the broker allows at once (256 per user, unless
 * configured) are with it, the others wait their turn here. Never blocks for longer than it takes
 * to connect to a local socket (a quarter of a second at most). Failures become the request's
 * answer.
 *
 * Return: 0, or -PES_E_INVALID_ARGUMENT when it was started before.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_start(struct pes_request *request);

/**
 * pes_fd() - the descriptor to poll for reading
 * @ctx: context
 *
 * It stays the same for the life of a context, connected or not.
 *
 * Return: a pollable descriptor, or -PES_E_INVALID_ARGUMENT for NULL.
 * Ownership: the context's; only poll it.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_fd(struct pes_ctx *ctx);

/**
 * pes_wait_ms() - how long to poll at most
 * @ctx: context
 *
 * Return: milliseconds until pes_process() has something to do even if nothing arrives, or -1:
 * nothing is under way. An acknowledgement that was not sent yet (pes_answer_close()) is something.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_wait_ms(struct pes_ctx *ctx);

/**
 * pes_process() - take in whatever has arrived, without blocking
 * @ctx: context
 *
 * Call it when pes_fd() is readable and when pes_wait_ms() has passed.
 *
 * Return: number of requests of this context that have an answer to take.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_process(struct pes_ctx *ctx);

/**
 * pes_take_answer() - take the answer of a started request
 * @request: started request
 *
 * Return: the answer, or NULL while there is none.
 * Ownership: the answer is the caller's; so is @request still.
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC struct pes_answer *pes_take_answer(struct pes_request *request);

/**
 * pes_cancel() - take a started request back
 * @request: started request
 *
 * It still gets an answer, with error PES_E_CANCELLED unless the real one was on its way already.
 *
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC void pes_cancel(struct pes_request *request);

#ifdef __cplusplus
}
#endif
