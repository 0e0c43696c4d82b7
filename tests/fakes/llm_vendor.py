"""The vendors' stand-in: the wire model that `prove` ships, under the name tests look for."""

from workers.wire_model import Call, Counters, Reply, ToolCall, WireModel, main, serve

__all__ = ["Call", "Counters", "Reply", "ToolCall", "WireModel", "main", "serve"]

if __name__ == "__main__":
    main()
