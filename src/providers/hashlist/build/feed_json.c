/*
 * feed_json: reading JSON of others within bounds, and telling the formats apart.
 *
 * jansson keeps the whole document, several times its size; larger inputs than 256 MiB are refused
 * by name. Depth is counted before it parses, so that its own recursion is bounded by us and the
 * error has a line.
 */
#include "providers/hashlist/build/feed_json.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Line of the first place that is too deep, or 0. */
static size_t too_deep_line(const char *bytes, size_t n_bytes)
{
    size_t depth = 0;
    size_t line = 1;
    bool is_in_text = false;

    for (size_t i = 0; i < n_bytes; i++) {
        if (is_in_text) {
            is_in_text = bytes[i] != '"';
            i += bytes[i] == '\\';
        } else if (bytes[i] == '"') {
            is_in_text = true;
        } else if (bytes[i] == '[' || bytes[i] == '{') {
            if (++depth > FEED_JSON_DEPTH_MAX) {
                return line;
            }
        } else if (bytes[i] == ']' || bytes[i] == '}') {
            depth -= depth > 0;
        }
        line += i < n_bytes && bytes[i] == '\n';
    }
    return 0;
}

int feed_json_load(struct feed *feed, const char *bytes, size_t n_bytes, json_t **ret_root)
{
    json_error_t error;
    size_t line;

    if (n_bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        n_bytes -= 3;
    }
    line = too_deep_line(bytes, n_bytes);
    if (line > 0) {
        return feed_fail(feed, "%zu: JSON that is nested more than %u deep; no feed is", line,
                         FEED_JSON_DEPTH_MAX);
    }
    *ret_root = json_loadb(bytes, n_bytes, JSON_ALLOW_NUL, &error);
    if (!*ret_root) {
        if (json_error_code(&error) == json_error_out_of_memory) {
            return -ENOMEM;
        }
        return feed_fail(feed, "%d:%d: not JSON (%s); fetch it again, it may be cut off",
                         error.line, error.column, error.text);
    }
    return 0;
}

enum feed_format feed_json_format(const json_t *root)
{
    const json_t *first = json_is_array(root) ? json_array_get(root, 0) : root;
    size_t n;
    const char *type = feed_json_text(json_object_get(root, "type"), &n);

    if (n == 6 && memcmp(type, "bundle", 6) == 0) {
        return FEED_STIX;
    }
    if (json_is_array(json_object_get(root, "list")) &&
        json_object_get(root, "matching_attributes")) {
        return FEED_WARNINGLIST;
    }
    if (json_object_get(first, "Event") || json_object_get(root, "response")) {
        return FEED_MISP;
    }
    return FEED_AUTO;
}

const char *feed_json_text(const json_t *value, size_t *ret_n)
{
    *ret_n = json_string_length(value);
    return json_is_string(value) ? json_string_value(value) : "";
}
