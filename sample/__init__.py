"""The seeded synthetic community: invented from streets to incidents, the same content for the same seed."""

from sample.build import SampleCommunity, build_community
from sample.write import write_sample

__all__ = ["SampleCommunity", "build_community", "write_sample"]
