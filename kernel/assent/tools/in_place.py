"""What changes a value in place, by its name: methods that are called on it, functions that are given it."""

# Of containers, tables, arrays, models and random states.
_METHODS = """
    append extend insert remove pop popitem clear update setdefault add discard sort reverse appendleft
    extendleft popleft rotate difference_update intersection_update symmetric_difference_update move_to_end
    subtract fill put resize partition itemset setflags setfield byteswap isetitem
    fit partial_fit fit_transform fit_predict fit_resample load_state_dict seed set_state shuffle
    read readline readlines write writelines seek truncate close send throw __next__ __setitem__ __delitem__
    __setattr__ __iadd__
"""
_FUNCTIONS = """
    next setattr delattr shuffle heappush heappop heapify heappushpop heapreplace insort insort_left insort_right
    copyto put place putmask fill_diagonal consume seed
"""
METHODS = frozenset(_METHODS.split())
FUNCTIONS = frozenset(_FUNCTIONS.split())
SEEDS = frozenset({"seed", "manual_seed", "set_seed"})  # what gives a random state
