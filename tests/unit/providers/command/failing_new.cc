/*
 * failing_new: memory for C++ that runs out when a test says so.
 *
 * That is how an exception is made to come up inside the shim over RE2, whose promise is that none
 * gets out.
 */
#include <cstdlib>
#include <new>

extern "C" {
extern int failing_new;
int failing_new = 0;
}

void *operator new(std::size_t n)
{
    void *place = failing_new ? nullptr : std::malloc(n);

    if (!place) {
        throw std::bad_alloc();
    }
    return place;
}

void *operator new(std::size_t n, const std::nothrow_t &) noexcept
{
    return failing_new ? nullptr : std::malloc(n);
}

void operator delete(void *place) noexcept
{
    std::free(place);
}

void operator delete(void *place, std::size_t) noexcept
{
    std::free(place);
}
