/*
 * Binary heap of intrusive nodes.
 *
 * Used for deadlines: thousands are pending, most are removed before they come due, and the next
 * one is asked for on every turn of the loop. Places are counted from 1 in the nodes so that a
 * zeroed node is in no heap. The array doubles and never shrinks; its size follows the largest
 * number of requests there ever was, which quotas bound.
 */
#include "base/heap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static void place(struct heap *heap, size_t at, struct heap_node *node)
{
    heap->nodes[at] = node;
    node->index = at + 1;
}

static void sift_up(struct heap *heap, size_t at, struct heap_node *node)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;

        if (heap->nodes[parent]->key <= node->key) {
            break;
        }
        place(heap, at, heap->nodes[parent]);
        at = parent;
    }
    place(heap, at, node);
}

static void sift_down(struct heap *heap, size_t at, struct heap_node *node)
{
    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= heap->n) {
            break;
        }
        if (child + 1 < heap->n && heap->nodes[child + 1]->key < heap->nodes[child]->key) {
            child++;
        }
        if (heap->nodes[child]->key >= node->key) {
            break;
        }
        place(heap, at, heap->nodes[child]);
        at = child;
    }
    place(heap, at, node);
}

/* `node` belongs at or around `at`: moves it whichever way it has to go. */
static void settle(struct heap *heap, size_t at, struct heap_node *node)
{
    if (at > 0 && node->key < heap->nodes[(at - 1) / 2]->key) {
        sift_up(heap, at, node);
    } else {
        sift_down(heap, at, node);
    }
}

void heap_fini(struct heap *heap)
{
    for (size_t i = 0; i < heap->n; i++) {
        heap->nodes[i]->index = 0;
    }
    free(heap->nodes);
    *heap = HEAP_INIT;
}

int heap_reserve(struct heap *heap, size_t n)
{
    size_t capacity = heap->capacity ? heap->capacity : 16;
    struct heap_node **nodes;

    if (n <= heap->capacity) {
        return 0;
    }
    while (capacity < n) {
        if (capacity > SIZE_MAX / 2) {
            return -ENOMEM;
        }
        capacity *= 2;
    }
    nodes = reallocarray(heap->nodes, capacity, sizeof(struct heap_node *));
    if (!nodes) {
        return -ENOMEM;
    }
    heap->nodes = nodes;
    heap->capacity = capacity;
    return 0;
}

int heap_push(struct heap *heap, struct heap_node *node)
{
    int r;

    assert(!heap_node_is_linked(node));
    r = heap_reserve(heap, heap->n + 1);
    if (r < 0) {
        return r;
    }
    heap->n++;
    sift_up(heap, heap->n - 1, node);
    return 0;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    struct heap_node *last;
    size_t at = node->index - 1;

    if (!heap_node_is_linked(node)) {
        return;
    }
    assert(at < heap->n && heap->nodes[at] == node);
    last = heap->nodes[--heap->n];
    node->index = 0;
    if (last != node) {
        settle(heap, at, last);
    }
}

void heap_update(struct heap *heap, struct heap_node *node, uint64_t key)
{
    assert(heap_node_is_linked(node) && heap->nodes[node->index - 1] == node);
    node->key = key;
    settle(heap, node->index - 1, node);
}
