/* Inputs that are JSON. */
#pragma once

#include <jansson.h>

#include "providers/hashlist/build/feed.h"

#define FEED_JSON_BYTES_MAX ((size_t)256 << 20)
#define FEED_JSON_DEPTH_MAX 64u

/* Reads a document: bounded in size and depth. 0 and a reference, or negative after feed_fail(). */
int feed_json_load(struct feed *feed, const char *bytes, size_t n_bytes, json_t **ret_root);

/* Which of the formats a document is; FEED_AUTO when it is none. */
enum feed_format feed_json_format(const json_t *root);

/* Each takes a whole document. 0 or negative errno. */
int feed_misp(struct feed *feed, const json_t *root);
int feed_warninglist(struct feed *feed, const json_t *root);
int feed_stix(struct feed *feed, const json_t *root);

/* A text and its length; "" when it is none. */
const char *feed_json_text(const json_t *value, size_t *ret_n);
