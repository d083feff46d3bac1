/*
 * feed_misp: events and warning lists of MISP.
 *
 * Of an event count the attributes, its own and those of its objects, whose type is md5, sha1,
 * sha256, filename|md5, filename|sha1, filename|sha256 or malware-sample, that are not deleted, and
 * that are marked for detection (to_ids): without that mark they are context, and may well be the
 * hash of an innocent program that an attacker brought along. Every other attribute is ignored. The
 * entries are named after the event.
 *
 * A warning list counts when its matching_attributes say that it is about file hashes; what else is
 * in it (SHA-512, ssdeep) is ignored.
 */
#include <stdio.h>
#include <string.h>

#include "providers/hashlist/build/feed_json.h"

static const struct {
    const char *type;
    enum list_algorithm algorithm;
    bool has_file_name;
} types[] = {
    {"md5", LIST_MD5, false},           {"sha1", LIST_SHA1, false},
    {"sha256", LIST_SHA256, false},     {"filename|md5", LIST_MD5, true},
    {"filename|sha1", LIST_SHA1, true}, {"filename|sha256", LIST_SHA256, true},
    {"malware-sample", LIST_MD5, true},
};

static int type_find(const char *type)
{
    for (int i = 0; i < (int)(sizeof(types) / sizeof(types[0])); i++) {
        if (strcmp(types[i].type, type) == 0) {
            return i;
        }
    }
    return -1;
}

/* MISP writes some flags as text. */
static bool is_set(const json_t *flag)
{
    const char *text = json_string_value(flag);

    return json_is_true(flag) || json_integer_value(flag) != 0 ||
           (text && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0));
}

static int attribute_take(struct feed *feed, const json_t *attribute, const char *name,
                          size_t n_name)
{
    struct file_hashes hashes = {.has = {false}};
    const char *type = json_string_value(json_object_get(attribute, "type"));
    const char *value = json_string_value(json_object_get(attribute, "value"));
    int i = type ? type_find(type) : -1;

    if (!type || !value) {
        feed_refuse(feed, "an attribute without type or value");
        return 0;
    }
    if (i < 0 || is_set(json_object_get(attribute, "deleted"))) {
        feed->n_ignored++;
        return 0;
    }
    if (!feed->sink->takes_all_ids && !is_set(json_object_get(attribute, "to_ids"))) {
        feed->n_ignored++;
        feed->n_unmarked++;
        return 0;
    }
    if (types[i].has_file_name) {
        value = strrchr(value, '|');
        if (!value) {
            feed_refuse(feed, "no '|' between file name and hash");
            return 0;
        }
        value++;
    }
    if (hash_take_as(&hashes, types[i].algorithm, value, strlen(value)) != HASH_GOOD) {
        feed_refuse(feed, "a hash is not what the attribute's type says");
        return 0;
    }
    return feed_take(feed, &hashes, name, n_name);
}

static int attributes_take(struct feed *feed, const json_t *attributes, const char *place,
                           const char *name, size_t n_name)
{
    const json_t *attribute;
    size_t i;
    int r = 0;

    json_array_foreach(attributes, i, attribute)
    {
        snprintf(feed->pointer, sizeof(feed->pointer), "%s/Attribute/%zu", place, i);
        r = attribute_take(feed, attribute, name, n_name);
        if (r < 0) {
            break;
        }
    }
    return r;
}

static int event_take(struct feed *feed, const json_t *event, const char *place)
{
    const json_t *objects = json_object_get(event, "Object");
    const json_t *object;
    char inner[128];
    size_t n_name;
    const char *name = feed_json_text(json_object_get(event, "info"), &n_name);
    size_t i;
    int r = attributes_take(feed, json_object_get(event, "Attribute"), place, name, n_name);

    json_array_foreach(objects, i, object)
    {
        if (r < 0) {
            break;
        }
        if (is_set(json_object_get(object, "deleted"))) {
            feed->n_ignored += json_array_size(json_object_get(object, "Attribute"));
            continue;
        }
        snprintf(inner, sizeof(inner), "%s/Object/%zu", place, i);
        r = attributes_take(feed, json_object_get(object, "Attribute"), inner, name, n_name);
    }
    return r;
}

static int events_take(struct feed *feed, const json_t *events, const char *place)
{
    const json_t *element;
    char inner[64];
    size_t i;
    int r = 0;

    json_array_foreach(events, i, element)
    {
        const json_t *event = json_object_get(element, "Event");

        snprintf(inner, sizeof(inner), "%s/%zu/Event", place, i);
        if (!event) {
            snprintf(feed->pointer, sizeof(feed->pointer), "%s/%zu", place, i);
            feed_refuse(feed, "not an event");
            continue;
        }
        r = event_take(feed, event, inner);
        if (r < 0) {
            break;
        }
    }
    return r;
}

/* As exported (one event), as searched for (response: events or attributes), or a list of
 * events. */
int feed_misp(struct feed *feed, const json_t *root)
{
    const json_t *response = json_object_get(root, "response");

    feed->line = 0;
    if (json_is_array(root)) {
        return events_take(feed, root, "");
    }
    if (json_is_array(response)) {
        return events_take(feed, response, "/response");
    }
    if (json_object_get(response, "Attribute")) {
        return event_take(feed, response, "/response");
    }
    if (json_object_get(root, "Event")) {
        return event_take(feed, json_object_get(root, "Event"), "/Event");
    }
    return feed_fail(feed, "no event of MISP in it; say which --format it is");
}

static bool is_about_hashes(const json_t *matching)
{
    const json_t *element;
    size_t i;

    json_array_foreach(matching, i, element)
    {
        const char *type = json_string_value(element);

        if (type && type_find(type) >= 0) {
            return true;
        }
    }
    return false;
}

int feed_warninglist(struct feed *feed, const json_t *root)
{
    const json_t *list = json_object_get(root, "list");
    bool is_hashes = is_about_hashes(json_object_get(root, "matching_attributes"));
    const json_t *element;
    size_t i;
    int r = 0;

    feed->line = 0;
    if (!json_is_array(list)) {
        return feed_fail(feed, "no warning list of MISP in it; say which --format it is");
    }
    json_array_foreach(list, i, element)
    {
        struct file_hashes hashes = {.has = {false}};
        size_t n;
        const char *text = feed_json_text(element, &n);

        snprintf(feed->pointer, sizeof(feed->pointer), "/list/%zu", i);
        if (!json_is_string(element)) {
            feed_refuse(feed, "not a text");
        } else if (!is_hashes || hash_take(&hashes, text, n) != HASH_GOOD) {
            feed->n_ignored++;
        } else {
            r = feed_take(feed, &hashes, "", 0);
        }
        if (r < 0) {
            break;
        }
    }
    return r;
}
