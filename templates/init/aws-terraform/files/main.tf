# An AMI of `elfpack publish aws`, found by the SHA-256 of the image it was made from, in an
# autoscaling group behind a load balancer inside a network that exists already.

terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Name = var.name }
  }
}

locals {
  tls           = var.certificate_arn != ""
  listener_port = local.tls ? 443 : 80
}

data "aws_ami" "image" {
  owners      = ["self"]
  most_recent = true

  filter {
    name   = "tag:elfpack:sha256"
    values = [var.image_sha256]
  }
}

# Only the groups named reach the balancer, and only the balancer reaches the instances. Those
# open no connection of their own, so they need no rule for what goes out.

resource "aws_security_group" "balancer" {
  name        = "${var.name}-balancer"
  description = "Clients of ${var.name}"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = toset(var.client_security_groups)

  security_group_id            = aws_security_group.balancer.id
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = local.listener_port
  to_port                      = local.listener_port
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  security_group_id            = aws_security_group.balancer.id
  referenced_security_group_id = aws_security_group.instance.id
  ip_protocol                  = "tcp"
  from_port                    = var.image_port
  to_port                      = var.image_port
}

resource "aws_security_group" "instance" {
  name        = "${var.name}-instance"
  description = "Instances of ${var.name}"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "instance" {
  security_group_id            = aws_security_group.instance.id
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = var.image_port
  to_port                      = var.image_port
}

resource "aws_launch_template" "image" {
  name                   = var.name
  image_id               = data.aws_ami.image.id
  instance_type          = var.instance_type
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.instance.id]

  # Nothing in the image reads the instance's metadata.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = var.name, "elfpack:sha256" = var.image_sha256 }
  }
}

resource "aws_lb" "front" {
  name               = var.name
  internal           = true
  load_balancer_type = "application"
  security_groups    = [aws_security_group.balancer.id]
  subnets            = var.subnet_ids

  drop_invalid_header_fields = true
}

resource "aws_lb_target_group" "front" {
  name                          = var.name
  vpc_id                        = var.vpc_id
  port                          = var.image_port
  protocol                      = "HTTP"
  load_balancing_algorithm_type = "least_outstanding_requests"
  deregistration_delay          = 60

  health_check {
    path                = "/_/ready"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "front" {
  load_balancer_arn = aws_lb.front.arn
  port              = local.listener_port
  protocol          = local.tls ? "HTTPS" : "HTTP"
  certificate_arn   = local.tls ? var.certificate_arn : null
  ssl_policy        = local.tls ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : null

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.front.arn
  }
}

resource "aws_autoscaling_group" "image" {
  name                      = var.name
  min_size                  = var.min_size
  max_size                  = var.max_size
  vpc_zone_identifier       = var.subnet_ids
  target_group_arns         = [aws_lb_target_group.front.arn]
  health_check_type         = "ELB"
  health_check_grace_period = 60
  default_instance_warmup   = 30

  launch_template {
    id      = aws_launch_template.image.id
    version = aws_launch_template.image.latest_version
  }

  # A new image replaces the instances, a few at a time.
  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 90
    }
  }
}

resource "aws_autoscaling_policy" "cpu" {
  name                   = "${var.name}-cpu"
  autoscaling_group_name = aws_autoscaling_group.image.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.cpu_percent

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

resource "aws_autoscaling_policy" "requests" {
  name                   = "${var.name}-requests"
  autoscaling_group_name = aws_autoscaling_group.image.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.requests_per_minute

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${aws_lb.front.arn_suffix}/${aws_lb_target_group.front.arn_suffix}"
    }
  }
}

output "url" {
  description = "Where members of the client groups ask."
  value       = "${local.tls ? "https" : "http"}://${aws_lb.front.dns_name}/"
}

output "image_id" {
  description = "The AMI with the digest asked for."
  value       = data.aws_ami.image.id
}
