"""The store on S3's common ground: what AWS, MinIO, Ceph, versitygw and the like all do alike.

Requests are signed and read here and carried by urllib3; boto3 serves what is asked once a deployment (`admin`). Why:
docs/decisions/0019-s3-common-ground.md.
"""

from pipeline.blobs.s3.store import S3Store

__all__ = ["S3Store"]
