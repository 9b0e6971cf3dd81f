"""The version of this package, as its metadata have it."""

VERSION = "0.1.0"
