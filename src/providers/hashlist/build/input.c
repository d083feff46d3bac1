/*
 * input: opens what the user named, finds out its format, and runs the parser.
 *
 * Text is read in pieces, whatever its length; JSON is read whole, within a bound. A folder is
 * taken for a MISP feed: its manifest.json names the events, and only these are read.
 *
 * An input that cannot be read in full fails as a whole, and so does the list: broken lines are
 * told and left out, but a feed that is missing would be missed by nobody.
 */
#include "providers/hashlist/build/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/hashlist/build/feed_json.h"
#include "providers/hashlist/build/feed_text.h"
#include "providers/hashlist/build/sniff.h"
#include "providers/hashlist/build/text_lines.h"

#define PIECE_BYTES     ((size_t)1 << 20)
#define UUID_CHARACTERS 36u

struct input {
    struct feed *feed;
    struct feed_text text;
    struct text_lines lines;
};

static int json_dispatch(struct feed *feed, const json_t *root)
{
    enum feed_format found = feed_json_format(root);

    if (feed->format == FEED_AUTO) {
        feed->format = found;
    }
    switch (feed->format) {
    case FEED_MISP:
        return feed_misp(feed, root);
    case FEED_STIX:
        return feed_stix(feed, root);
    case FEED_WARNINGLIST:
        feed->role = FEED_WARNING;
        return feed_warninglist(feed, root);
    case FEED_AUTO:
    case FEED_PLAIN:
    case FEED_CSV:
    case FEED_CLAMAV:
        break;
    }
    return feed_fail(feed, "JSON, but neither an event or warning list of MISP nor a bundle of "
                           "STIX; take it away, or say which --format it is");
}

static int json_read(struct feed *feed, const char *bytes, size_t n_bytes)
{
    json_t *root;
    int r = feed_json_load(feed, bytes, n_bytes, &root);

    if (r == 0) {
        r = json_dispatch(feed, root);
        json_decref(root);
    }
    return r;
}

/* Decides about the format by the head. 1: JSON, 0: text, negative: neither. */
static int format_decide(struct input *input, const char *head, size_t n_head)
{
    struct feed *feed = input->feed;
    enum feed_format format;
    const char *wrong;
    enum sniff sniff = sniff_format(feed->path, head, n_head, &format, &wrong);

    if (sniff == SNIFF_WRONG) {
        return feed_fail(feed, "%s", wrong);
    }
    if (sniff == SNIFF_JSON) {
        return 1;
    }
    if (feed->format == FEED_AUTO) {
        feed->format = format;
    }
    if (feed->format >= FEED_MISP) {
        return feed_fail(feed, "not JSON, which --format %s is", feed_format_name(feed->format));
    }
    input->text = (struct feed_text){.feed = feed};
    input->lines = (struct text_lines){.take = feed_text_line, .data = &input->text};
    return 0;
}

/* In a failure the line comes first, as it does for JSON. */
static int text_result(struct feed *feed, int r)
{
    char text[sizeof(feed->failure)];

    if (r == -EBADMSG && feed->line > 0) {
        snprintf(text, sizeof(text), "%s", feed->failure);
        return feed_fail(feed, "%llu: %.480s", (unsigned long long)feed->line, text);
    }
    return r;
}

int input_read_bytes(struct feed *feed, const char *bytes, size_t n_bytes)
{
    static struct input input;
    int r;

    input.feed = feed;
    r = format_decide(&input, bytes, n_bytes < SNIFF_BYTES ? n_bytes : SNIFF_BYTES);
    if (r == 1) {
        return json_read(feed, bytes, n_bytes);
    }
    r = r < 0 ? r : text_lines_push(&input.lines, bytes, n_bytes);
    r = r < 0 ? r : text_lines_end(&input.lines);
    return text_result(feed, r);
}

/* Fills `bytes` as far as the file goes. */
static int read_some(int fd, char *bytes, size_t n_room, size_t *ret_n)
{
    size_t n = 0;

    while (n < n_room) {
        ssize_t r = read(fd, bytes + n, n_room - n);

        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r < 0) {
            return -errno;
        }
        if (r == 0) {
            break;
        }
        n += (size_t)r;
    }
    *ret_n = n;
    return 0;
}

static int text_stream(struct input *input, int fd, char *piece, size_t n)
{
    int r = 0;

    while (n > 0 && r == 0) {
        r = text_lines_push(&input->lines, piece, n);
        r = r < 0 ? r : read_some(fd, piece, PIECE_BYTES, &n);
    }
    r = r < 0 ? r : text_lines_end(&input->lines);
    return text_result(input->feed, r);
}

/* Reads the rest of a document; `piece` has the first `n` of PIECE_BYTES and grows. */
static int json_collect(struct feed *feed, int fd, char **piece, size_t *n)
{
    size_t n_room = PIECE_BYTES;
    size_t n_more = *n;
    int r;

    while (*n == n_room && n_more > 0) {
        char *grown;

        if (n_room >= FEED_JSON_BYTES_MAX) {
            return feed_fail(feed, "more than 256 MiB of JSON; split it, or take another format");
        }
        grown = realloc(*piece, 2 * n_room);
        if (!grown) {
            return -ENOMEM;
        }
        *piece = grown;
        r = read_some(fd, grown + *n, n_room, &n_more);
        if (r < 0) {
            return r;
        }
        n_room *= 2;
        *n += n_more;
    }
    return 0;
}

static int json_stream(struct feed *feed, int fd, char **piece, size_t n)
{
    int r = json_collect(feed, fd, piece, &n);

    return r < 0 ? r : json_read(feed, *piece, n);
}

static int stream_read(struct feed *feed, int fd)
{
    static struct input input;
    char *piece = malloc(PIECE_BYTES);
    size_t n;
    int r = piece ? read_some(fd, piece, PIECE_BYTES, &n) : -ENOMEM;

    input.feed = feed;
    if (r == 0) {
        r = format_decide(&input, piece, n < SNIFF_BYTES ? n : SNIFF_BYTES);
        r = r < 0    ? r
            : r == 1 ? json_stream(feed, fd, &piece, n)
                     : text_stream(&input, fd, piece, n);
    }
    free(piece);
    return r;
}

static int open_as(struct feed *feed, int folder, const char *name, mode_t type, int *ret_fd)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;

    if (fd < 0 || fstat(fd, &info) < 0) {
        int number = errno;

        if (fd >= 0) {
            close(fd);
        }
        return feed_fail(feed, "cannot be read (%s)", strerror(number));
    }
    if ((info.st_mode & S_IFMT) != type) {
        close(fd);
        return feed_fail(feed, "neither a file nor the folder of a MISP feed");
    }
    *ret_fd = fd;
    return 0;
}

static bool is_uuid(const char *text)
{
    return strlen(text) == UUID_CHARACTERS &&
           strspn(text, "0123456789abcdefABCDEF-") == UUID_CHARACTERS;
}

/* Reads the file of one event, found by its UUID alone: a manifest cannot name other places. */
static int event_read(struct feed *feed, int folder, const char *uuid)
{
    char name[UUID_CHARACTERS + sizeof(".json")];
    int fd;
    int r;

    if (!is_uuid(uuid)) {
        feed->part = "manifest.json";
        snprintf(feed->pointer, sizeof(feed->pointer), "/%.64s", uuid);
        feed->line = 0;
        feed_refuse(feed, "not the UUID of an event");
        return 0;
    }
    snprintf(name, sizeof(name), "%s.json", uuid);
    feed->part = name;
    r = open_as(feed, folder, name, S_IFREG, &fd);
    if (r == 0) {
        r = stream_read(feed, fd);
        close(fd);
    }
    if (r < 0 && feed->failure[0] != '\0') {
        char text[sizeof(feed->failure)];

        snprintf(text, sizeof(text), "%s", feed->failure);
        (void)feed_fail(feed, "%s: %.440s", name, text);
    }
    feed->part = NULL;
    return r;
}

/* The manifest is as much a stranger's as the events are: the same bounds. */
static int manifest_read(struct feed *feed, int folder, json_t **ret_manifest)
{
    char *piece = malloc(PIECE_BYTES);
    int fd = -1;
    int r = piece ? open_as(feed, folder, "manifest.json", S_IFREG, &fd) : -ENOMEM;
    size_t n;

    r = r < 0 ? r : read_some(fd, piece, PIECE_BYTES, &n);
    r = r < 0 ? r : json_collect(feed, fd, &piece, &n);
    r = r < 0 ? r : feed_json_load(feed, piece, n, ret_manifest);
    if (fd >= 0) {
        close(fd);
    }
    free(piece);
    if (r == 0 && !json_is_object(*ret_manifest)) {
        json_decref(*ret_manifest);
        r = -EBADMSG;
    }
    return r != -EBADMSG ? r
                         : feed_fail(feed, "a folder without a manifest.json that is one of a MISP "
                                           "feed; name the files in it");
}

static int folder_read(struct feed *feed)
{
    json_t *manifest;
    const json_t *about;
    const char *uuid;
    int folder;
    int r = open_as(feed, AT_FDCWD, feed->path, S_IFDIR, &folder);

    if (r < 0) {
        return r;
    }
    r = manifest_read(feed, folder, &manifest);
    if (r == 0) {
        feed->format = FEED_MISP;
        json_object_foreach(manifest, uuid, about)
        {
            r = r < 0 ? r : event_read(feed, folder, uuid);
        }
        json_decref(manifest);
    }
    close(folder);
    return r;
}

int input_read(struct feed *feed)
{
    struct stat info;
    int fd;
    int r;

    if (stat(feed->path, &info) == 0 && S_ISDIR(info.st_mode)) {
        r = folder_read(feed);
    } else {
        r = open_as(feed, AT_FDCWD, feed->path, S_IFREG, &fd);
        if (r == 0) {
            r = stream_read(feed, fd);
            close(fd);
        }
    }
    if (r < 0 && feed->failure[0] == '\0') {
        (void)feed_fail(feed, "%s",
                        r == -ENOMEM  ? "out of memory"
                        : r == -E2BIG ? "more entries than a list can have"
                                      : strerror(-r));
    }
    return r;
}
