// Tests ask for more memory than there is; sanitizers shall refuse it as the system does, not abort.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }

// And one test forks while there are threads; by default the thread sanitizer ends a child that starts others.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1:die_after_fork=0"; }
