region        = "@region@"
name          = "@name@"
image_sha256  = "@sha256@"
image_port    = @port@
instance_type = "@instance_type@"

# The network that exists already:
# vpc_id                 = "vpc-..."
# subnet_ids             = ["subnet-...", "subnet-..."]
# client_security_groups = ["sg-..."]
