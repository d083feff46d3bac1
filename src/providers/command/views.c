/*
 * views: takes off layer after layer.
 *
 * A layer is text: the content, or what something encoded in it comes to. Of each layer there are
 * up to three views: folded, with its string expressions worked out, and with the noise taken away
 * besides. What is encoded in the last of them makes the next layer.
 *
 * Everything is within budgets: number of views, layers, bytes per view and in all. Whatever a
 * budget cuts off sets is_incomplete, so that nobody takes the answer for a full one.
 */
#include "providers/command/views.h"

#include <string.h>

#include "providers/command/blobs.h"
#include "providers/command/escapes.h"
#include "providers/command/fold.h"
#include "providers/command/inflate.h"
#include "providers/command/literals.h"
#include "providers/command/noise.h"

static void layer_make(struct views *views, const struct text *raw, unsigned layer, uint32_t how);

static bool must_stop(struct views *views)
{
    if (!views->is_late && views->out_of_time && views->out_of_time(views->data)) {
        views->is_late = true;
    }
    return views->is_late;
}

/* Lower case, one blank for a run of them. */
static void plain_make(const struct text *text, struct text *ret_plain)
{
    for (size_t i = 0; i < text->n && !ret_plain->is_cut; i++) {
        uint8_t c = text->bytes[i];

        if (c == '\t' || c == '\v' || c == '\f' || c == 0) {
            c = ' ';
        }
        if (c == ' ' && ret_plain->n > 0 && ret_plain->bytes[ret_plain->n - 1] == ' ') {
            continue;
        }
        text_put(ret_plain, c >= 'A' && c <= 'Z' ? c | 0x20 : c, text->spans[i]);
    }
}

/* Takes `text` over as a view, unless there is one that reads the same. */
static void view_add(struct views *views, struct text *text, unsigned layer, uint32_t how)
{
    struct view *view = &views->views[views->n];

    views->is_incomplete |= text->is_cut;
    for (size_t i = 0; i < views->n; i++) {
        if (text_equal(&views->views[i].text, text)) {
            text_fini(text);
            return;
        }
    }
    if (views->n == VIEWS_MAX || views->n_bytes + text->n > TOTAL_BYTES_MAX) {
        views->is_incomplete = true;
        text_fini(text);
        return;
    }
    *view = (struct view){
        .text = *text, .plain = TEXT_INIT(VIEW_BYTES_MAX), .layer = layer, .how = how};
    plain_make(text, &view->plain);
    *text = TEXT_INIT(0);
    views->n_bytes += view->text.n;
    views->n++;
}

static void copy(struct text *to, const struct text *from)
{
    *to = TEXT_INIT(VIEW_BYTES_MAX);
    text_put_part(to, from, 0, from->n);
}

static bool is_program(const struct text *bytes)
{
    return bytes->n >= 64 &&
           (memcmp(bytes->bytes, "MZ", 2) == 0 || memcmp(bytes->bytes, "\177ELF", 4) == 0 ||
            memcmp(bytes->bytes, "\317\372\355\376", 4) == 0);
}

/* What a run of encoded text comes to: another layer, if that is text. */
static void blob_open(struct views *views, const struct text *text, const struct blob *blob,
                      unsigned layer, uint32_t how)
{
    static const uint32_t forms[] = {0, VIEW_BASE64, VIEW_HEX, VIEW_NUMBERS};
    struct text decoded = TEXT_INIT(VIEW_BYTES_MAX);
    struct text inflated = TEXT_INIT(VIEW_BYTES_MAX / 4);

    how |= forms[blob->form];
    blob_decode(text, blob, &decoded);
    views->n_bytes += decoded.n;
    if (blob_is_readable(decoded.bytes, decoded.n)) {
        layer_make(views, &decoded, layer, how);
    } else if (is_program(&decoded)) {
        views->has_program = true;
        views->program = text_span(text, blob->from, blob->to);
    } else if (inflate_bytes(decoded.bytes, decoded.n, text_span(text, blob->from, blob->to),
                             &inflated) != INFLATE_NOTHING) {
        views->n_bytes += inflated.n;
        views->is_incomplete |= inflated.is_cut;
        if (blob_is_readable(inflated.bytes, inflated.n)) {
            layer_make(views, &inflated, layer, how | VIEW_INFLATED);
        } else if (is_program(&inflated)) {
            views->has_program = true;
            views->program = text_span(text, blob->from, blob->to);
        }
    }
    text_fini(&inflated);
    text_fini(&decoded);
}

static bool contains(const struct text *text, const char *word)
{
    const uint8_t first[2] = {(uint8_t)word[0], (uint8_t)(word[0] & ~0x20)};
    bool has_case = word[0] >= 'a' && word[0] <= 'z';

    for (size_t i = 0; i < text->n; i++) {
        uint8_t c = text->bytes[i];

        if ((c == first[0] || (has_case && c == first[1])) && text_has(text, i, word)) {
            return true;
        }
    }
    return false;
}

static uint8_t moved_by_13(uint8_t c)
{
    uint8_t base = c >= 'a' ? 'a' : 'A';

    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? (uint8_t)((c - base + 13) % 26 + base) : c;
}

/* Text that the script turns round or moves along the alphabet. */
static void turned(struct views *views, const struct text *text, unsigned layer, uint32_t how)
{
    static const char *const backwards[] = {"|rev",   "| rev",  "rev <",
                                            "[-1..-", "[::-1]", "::reverse("};
    static const char *const moves[] = {"n-za-m", "rot13", "rot_13"};
    bool is_backwards = false;
    bool is_moved = false;
    struct text made = TEXT_INIT(VIEW_BYTES_MAX);

    for (size_t i = 0; i < sizeof(backwards) / sizeof(backwards[0]); i++) {
        is_backwards |= contains(text, backwards[i]);
    }
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        is_moved |= contains(text, moves[i]);
    }
    if (how & VIEW_TURNED || (!is_backwards && !is_moved)) {
        return;
    }
    for (size_t i = 0; i < text->n; i++) {
        size_t at = is_moved ? i : text->n - 1 - i;

        text_put(&made, is_moved ? moved_by_13(text->bytes[at]) : text->bytes[at], text->spans[at]);
    }
    views->n_bytes += made.n;
    layer_make(views, &made, layer, how | VIEW_TURNED);
    text_fini(&made);
}

static void blobs_open(struct views *views, const struct text *text, unsigned layer, uint32_t how)
{
    struct blob blob;

    for (size_t at = 0; blob_next(text, at, &blob); at = blob.to) {
        if (must_stop(views)) {
            return;
        }
        if (views->n == VIEWS_MAX || layer == LAYERS_MAX || views->n_bytes > TOTAL_BYTES_MAX) {
            views->is_incomplete = true;
            return;
        }
        blob_open(views, text, &blob, layer, how);
    }
    turned(views, text, layer, how);
}

/* Joins the expressions of `text`, in place. */
static uint32_t literals_step(struct views *views, struct text *text)
{
    struct literals_seen seen = {0};
    struct text made = TEXT_INIT(VIEW_BYTES_MAX);

    literals_join(text, &made, &seen);
    views->n_joined += seen.n_joined;
    views->n_variables += seen.n_variables;
    views->is_incomplete |= seen.is_incomplete;
    text_fini(text);
    *text = made;
    return (seen.n_joined > 0 ? VIEW_JOINED : 0) | (seen.n_variables > 0 ? VIEW_VARIABLES : 0);
}

static uint32_t noise_step(struct views *views, struct text *text)
{
    struct text made = TEXT_INIT(VIEW_BYTES_MAX);
    size_t n = noise_strip(text, &made);

    views->n_noise += n;
    text_fini(text);
    *text = made;
    return n > 0 ? VIEW_NOISE : 0;
}

static void layer_make(struct views *views, const struct text *raw, unsigned layer, uint32_t how)
{
    struct fold_seen seen = {0, 0};
    struct text folded = TEXT_INIT(VIEW_BYTES_MAX);
    struct text work = TEXT_INIT(VIEW_BYTES_MAX);
    struct text copied;
    size_t n_escapes;

    if (must_stop(views)) {
        return;
    }
    fold(raw, &folded, &seen);
    views->n_invisible += seen.n_invisible;
    views->n_lookalikes += seen.n_lookalikes;
    n_escapes = escapes_decode(&folded, &work);
    views->n_escapes += n_escapes;
    how |= n_escapes > 0 ? VIEW_ESCAPES : 0;
    view_add(views, &folded, layer, how & ~(uint32_t)VIEW_ESCAPES);
    how |= literals_step(views, &work);
    copy(&copied, &work);
    view_add(views, &copied, layer, how);
    how |= noise_step(views, &work);
    how |= literals_step(views, &work);
    copy(&copied, &work);
    view_add(views, &copied, layer, how);
    blobs_open(views, &work, layer + 1, how);
    text_fini(&work);
}

void views_make(struct views *views, const uint8_t *bytes, size_t n)
{
    struct text raw = TEXT_INIT(VIEW_BYTES_MAX);

    for (size_t i = 0; i < n && !raw.is_cut; i++) {
        text_put(&raw, bytes[i], (struct span){(uint32_t)i, (uint32_t)i + 1});
    }
    views->is_incomplete |= raw.is_cut;
    layer_make(views, &raw, 0, VIEW_AS_IS);
    text_fini(&raw);
}

void views_fini(struct views *views)
{
    for (size_t i = 0; i < views->n; i++) {
        text_fini(&views->views[i].text);
        text_fini(&views->views[i].plain);
    }
    views->n = 0;
}
