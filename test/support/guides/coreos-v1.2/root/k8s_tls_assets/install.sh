sudo mkdir -p /etc/kubernetes/ssl
sudo cp ~/k8s_tls_assets/{ca,apiserver-key,apiserver}.pem /etc/kubernetes/ssl/
sudo chmod 600 /etc/kubernetes/ssl/*-key.pem
sudo chown root:root /etc/kubernetes/ssl/*-key.pem
