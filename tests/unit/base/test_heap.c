/* The heap against a plain array that is searched. */
#include <string.h>

#include "base/heap.h"
#include "random.h"
#include "testing.h"

#define N_NODES 200u

static void check_first(const struct heap *heap, const struct heap_node *nodes)
{
    uint64_t smallest = UINT64_MAX;
    size_t n = 0;

    for (size_t i = 0; i < N_NODES; i++) {
        if (!heap_node_is_linked(&nodes[i])) {
            continue;
        }
        n++;
        smallest = nodes[i].key < smallest ? nodes[i].key : smallest;
        assert_ptr_equal(heap->nodes[nodes[i].index - 1], &nodes[i]);
    }
    assert_int_equal(heap->n, n);
    if (n == 0) {
        assert_null(heap_first(heap));
    } else {
        assert_int_equal(heap_first(heap)->key, smallest);
    }
}

static void the_first_is_always_the_smallest_whatever_is_done(void **state)
{
    struct heap_node nodes[N_NODES] = {0};
    struct heap heap = HEAP_INIT;
    uint64_t seed = 1;

    for (unsigned i = 0; i < 20000; i++) {
        struct heap_node *node = &nodes[random_below(&seed, N_NODES)];
        uint64_t key = random_below(&seed, 100);

        if (!heap_node_is_linked(node)) {
            node->key = key;
            assert_int_equal(heap_push(&heap, node), 0);
        } else if (random_below(&seed, 2)) {
            heap_update(&heap, node, key);
        } else {
            heap_remove(&heap, node);
        }
        check_first(&heap, nodes);
    }
    heap_fini(&heap);
    check_first(&heap, nodes);
}

static void taking_the_first_again_and_again_sorts(void **state)
{
    struct heap_node nodes[N_NODES] = {0};
    struct heap heap = HEAP_INIT;
    uint64_t seed = 2;
    uint64_t last = 0;

    for (size_t i = 0; i < N_NODES; i++) {
        nodes[i].key = random_next(&seed);
        assert_int_equal(heap_push(&heap, &nodes[i]), 0);
    }
    while (heap_first(&heap)) {
        struct heap_node *first = heap_first(&heap);

        assert_true(first->key >= last);
        last = first->key;
        heap_remove(&heap, first);
    }
    heap_fini(&heap);
}

static void removing_a_node_that_is_in_no_heap_does_nothing(void **state)
{
    struct heap_node in = HEAP_NODE_INIT, out = HEAP_NODE_INIT;
    struct heap heap = HEAP_INIT;

    heap_remove(&heap, &out);
    assert_int_equal(heap_push(&heap, &in), 0);
    heap_remove(&heap, &out);
    assert_ptr_equal(heap_first(&heap), &in);
    heap_fini(&heap);
    heap_fini(&heap);
}

static void room_that_was_reserved_is_enough(void **state)
{
    struct heap_node nodes[N_NODES] = {0};
    struct heap heap = HEAP_INIT;
    struct heap_node **before;

    assert_int_equal(heap_reserve(&heap, N_NODES), 0);
    before = heap.nodes;
    for (size_t i = 0; i < N_NODES; i++) {
        assert_int_equal(heap_push(&heap, &nodes[i]), 0);
    }
    assert_ptr_equal(heap.nodes, before);
    assert_int_equal(heap_reserve(&heap, SIZE_MAX), -ENOMEM);
    assert_ptr_equal(heap.nodes, before);
    heap_fini(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_always_the_smallest_whatever_is_done),
        cmocka_unit_test(taking_the_first_again_and_again_sorts),
        cmocka_unit_test(removing_a_node_that_is_in_no_heap_does_nothing),
        cmocka_unit_test(room_that_was_reserved_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
