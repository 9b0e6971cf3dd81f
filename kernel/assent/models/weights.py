from dataclasses import dataclass
from pathlib import Path
@dataclass(frozen=True, slots=True)
class Weights:
    name: str
    file: str
    size: int
def cached(w):
    return Path("/tmp/w")/w.file
